import assert from "node:assert/strict";
import { suite, test } from "node:test";
import tour from "../../examples/tour/api.ts";
import { withPage } from "../support/browser.ts";
import { serve } from "../support/scenario.ts";

suite("The documentation page of the tour", () => {
  test("tells of actions, of the keys that they need, and of the jobs that they start", async (t) => {
    const served = await serve(t, tour);
    await withPage(t, async ({ page, consoleErrors }) => {
      await page.goto(`${served.origin}/docs`);
      const open = async (group: string, operation: string) => {
        await page.getByRole("button", { name: `Open Group - ${group}` }).click();
        await page.getByRole("link", { name: operation }).first().click();
        return page.getByRole("region", { name: operation });
      };
      const payments = await open("orders", "Payments, for one of the orders");
      await payments.getByText("Pays an order. The answer comes at once").first().waitFor();
      for (const shown of [
        /Makes the request safe to repeat/,
        /wait=N/,
        /tok_visa/,
        /^Accepted\. The job at/,
      ]) {
        await payments.getByText(shown).first().waitFor();
      }
      const key = payments.getByRole("listitem").filter({ hasText: "Idempotency-Key" }).first();
      assert.match(await key.innerText(), /required/);
      const contact = await open("actions", "Contact");
      await contact.getByText("Do you ship to Finland?").first().waitFor();
      const job = await open("jobs", "Look at a job");
      await job.getByText(/every change is told as it happens/).waitFor();
      const look = await open("idempotency", "Ask what a key did");
      await look.getByText(/Tells which requests of the caller carried/).waitFor();
      assert.deepEqual(consoleErrors(), []);
    });
  });
});
