// The pages of the shop in a browser: a token is pasted, and an order is placed.
import { strict as assert } from "node:assert";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { tokens, url } from "./shop.js";

const profile = await mkdtemp(join(tmpdir(), "commerce-browser-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: "/usr/bin/chromium",
  headless: true,
  viewport: { width: 1280, height: 1000 },
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});

try {
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  const strangers: string[] = [];
  const problems: string[] = [];
  page.on("request", (request) => {
    if (/^https?:/.test(request.url()) && !request.url().startsWith(url)) strangers.push(request.url());
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });

  await page.goto(`${url}/`);
  await page.screenshot({ path: "generated/home.png" });
  for (const link of await page.locator("a").all()) {
    const target = new URL((await link.getAttribute("href")) ?? "", page.url());
    const answer = await page.request.get(target.href);
    assert.equal(answer.status(), 200, target.href);
  }
  await page.locator("a").first().click();
  await page.waitForURL(/\/docs\//);

  await page.locator(".swagger-ui .authorize").first().click();
  const scheme = page.locator(".auth-container", { hasText: "bearer" });
  await scheme.getByRole("textbox").fill(tokens.customer);
  await scheme.locator(".authorize").click();
  await page.screenshot({ path: "generated/authorize.png" });
  await page.locator(".auth-btn-wrapper .btn-done").first().click();

  const operation = page.locator("#operations-orders-createOrder");
  await operation.locator(".opblock-summary-control").click();
  await operation.getByRole("button", { name: "Try it out" }).click();
  await operation.getByPlaceholder("Idempotency-Key").fill("browser-1");
  await page.screenshot({ path: "generated/order.png" });
  await operation.getByRole("button", { name: "Execute" }).click();
  const status = operation.locator(".live-responses-table .response .response-col_status").first();
  await status.waitFor();
  await status.scrollIntoViewIfNeeded();
  await page.screenshot({ path: "generated/placed.png" });
  assert.match(await status.innerText(), /^201/);
  const answer = await operation.locator(".live-responses-table .response .highlight-code").first().innerText();
  assert.match(answer, /"status": "pending"/);

  assert.deepEqual(strangers, [], "the page asks other hosts");
  assert.deepEqual(problems, [], "the page has errors");
  console.log("browser: an order was placed");
} finally {
  await browser.close();
  await rm(profile, { recursive: true });
}
