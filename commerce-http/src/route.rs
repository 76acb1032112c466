//! Routing from method and path to a handler. The routes are in [`crate::routes`].

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use commerce_core::permission::Permission;
use http::{HeaderValue, Method};
use percent_encoding::percent_decode_str;

use crate::answer::Outcome;
use crate::app::App;
use crate::body;
use crate::call::{Params, RequestContext};
use crate::problem::Problem;
use crate::routes::{events, webhook_endpoints};

/// The prefixes of the shop's routes. The first one is canonical.
pub(crate) const PREFIXES: [&str; 2] = ["/v1", "/api/v1"];

pub(crate) type Work<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;
pub(crate) type Handler = for<'a> fn(&'a App, &'a RequestContext) -> Work<'a>;

pub(crate) struct Route {
    pub(crate) method: Method,
    /// The path after the prefix, with its parameters in braces.
    pub(crate) path: &'static str,
    pub(crate) part: RouteGroup,
    /// The id of the operation in the `OpenAPI` document.
    pub(crate) id: &'static str,
    pub(crate) access: Access,
    pub(crate) handler: Handler,
}

/// Who may use a route, for the `OpenAPI` document. The engine decides it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Access {
    Anyone,
    /// Users; what they may do depends on what they own.
    User,
    /// The roles with a permission.
    Holder(Permission),
    /// A payment processor, which signs the body. Tokens and cookies are not read.
    Signer,
}

impl Access {
    /// Whether the caller may have a token.
    pub(crate) const fn takes_token(self) -> bool {
        !matches!(self, Self::Signer)
    }
}

impl Route {
    /// How long its handler may wait for something to happen.
    pub(crate) fn patience(&self) -> Duration {
        match self.path {
            "/events" => events::MAX_WAIT,
            "/webhook-endpoints/{id}/test" => webhook_endpoints::MAX_WAIT,
            _ => Duration::ZERO,
        }
    }

    /// The maximum size of a body.
    pub(crate) const fn max_body(&self) -> usize {
        match self.access {
            Access::Signer | Access::Holder(Permission::ManagePromotions) => body::MAX_SMALL,
            Access::Anyone | Access::User | Access::Holder(_) => body::MAX_BYTES,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RouteGroup {
    Shop,
    /// For operators and developers. Also available without a prefix.
    System,
    /// For the documentation page. Like [`RouteGroup::System`], but not in the `OpenAPI` document.
    Asset,
}

pub(crate) enum Found {
    Route(&'static Route, Params),
    OtherMethod(&'static PathRoutes),
    Nothing,
}

pub(crate) struct PathRoutes {
    path: &'static str,
    routes: Vec<&'static Route>,
    allow: HeaderValue,
}

/// Hides the library that matches paths.
pub(crate) struct Router(matchit::Router<PathRoutes>);

impl Found {
    pub(crate) const fn label(&self) -> Option<&'static str> {
        match self {
            Self::Route(route, _) => Some(route.path),
            Self::OtherMethod(resource) => Some(resource.path),
            Self::Nothing => None,
        }
    }

    pub(crate) fn into_route(self) -> Result<(&'static Route, Params), Problem> {
        match self {
            Self::Route(route, params) => Ok((route, params)),
            Self::OtherMethod(resource) => Err(Problem::method_not_allowed(resource.allow.clone())),
            Self::Nothing => Err(Problem::no_route()),
        }
    }
}

impl Router {
    #[expect(clippy::expect_used, reason = "the table is fixed, and every test of a route builds the router from it")]
    pub(crate) fn of(routes: &'static [Route]) -> Self {
        let mut router = matchit::Router::new();
        let mut paths: Vec<(&'static str, RouteGroup)> = routes.iter().map(|route| (route.path, route.part)).collect();
        paths.sort_unstable_by_key(|(path, _)| *path);
        paths.dedup();
        for (path, part) in paths {
            let bare = (part != RouteGroup::Shop).then_some("");
            for prefix in PREFIXES.iter().copied().chain(bare) {
                let resource = PathRoutes::of(path, routes);
                router.insert(format!("{prefix}{path}"), resource).expect("the paths of the table do not conflict");
            }
        }
        Self(router)
    }

    /// Finds the route of a request. `HEAD` uses the route of `GET`.
    pub(crate) fn find(&'static self, method: &Method, path: &str) -> Found {
        let Ok(matched) = self.0.at(path) else { return Found::Nothing };
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        let Some(route) = matched.value.routes.iter().find(|route| route.method == *wanted) else {
            return Found::OtherMethod(matched.value);
        };
        let decode = |(name, value): (&'static str, &str)| {
            Some((name, percent_decode_str(value).decode_utf8().ok()?.into_owned()))
        };
        let params: Option<Params> = matched.params.iter().map(decode).collect();
        params.map_or(Found::Nothing, |params| Found::Route(route, params))
    }
}

impl PathRoutes {
    fn of(path: &'static str, all: &'static [Route]) -> Self {
        let routes: Vec<_> = all.iter().filter(|route| route.path == path).collect();
        let mut methods: Vec<&str> = routes.iter().map(|route| route.method.as_str()).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.sort_unstable();
        let allow = HeaderValue::from_str(&methods.join(", ")).unwrap_or_else(|_| HeaderValue::from_static(""));
        Self { path, routes, allow }
    }
}

/// Creates the table of routes, and the `OpenAPI` paths of the shop.
macro_rules! routes {
    (
        Shop { $($shop_method:ident $shop_path:literal $module:ident::$name:ident = $shop_id:ident($shop_access:ident);)* }
        $($part:ident $method:ident $path:literal $handler:path = $id:ident($access:ident);)*
    ) => {
        pub(crate) static ROUTES: &[Route] = &[
            $(routes!(@row Shop $shop_method $shop_path $module::$name = $shop_id $shop_access),)*
            $(routes!(@row $part $method $path $handler = $id $access),)*
        ];

        /// The paths of the shop.
        #[derive(utoipa::OpenApi)]
        #[openapi(paths($($module::$name),*))]
        pub(crate) struct Shop;
    };
    (@row $part:ident $method:ident $path:literal $handler:path = $id:ident $access:ident) => {
        Route {
            method: http::Method::$method,
            path: $path,
            part: $crate::route::RouteGroup::$part,
            id: stringify!($id),
            access: routes!(@access $access),
            handler: |app, call| Box::pin($handler(app, call)),
        }
    };
    (@access Anyone) => { $crate::route::Access::Anyone };
    (@access User) => { $crate::route::Access::User };
    (@access Signer) => { $crate::route::Access::Signer };
    (@access $permission:ident) => { $crate::route::Access::Holder(commerce_core::permission::Permission::$permission) };
}
pub(crate) use routes;
