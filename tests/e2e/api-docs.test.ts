/** The page on which the API describes itself: it works under our policy and asks nobody else. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { hasChromium, launch, watchComplaints } from './browser';

const URL_ = process.env['E2E_URL'] ?? '';

describe.skipIf(!hasChromium || !URL_)('the API page', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());

  it('lists what there is, without a complaint', { timeout: 60_000 }, async () => {
    const page = await browser.newPage();
    const complaints = watchComplaints(page);
    await page.goto(`${URL_}/api/v1/docs/`);
    await page.locator('[data-tag="runs"]').click();
    await page.getByText('/api/v1/runs/{run_id}/cancel/').first().waitFor();
    await page.locator('[data-tag="flows"]').click();
    await page.getByText('/api/v1/flows/', { exact: true }).first().click();
    expect(complaints).toEqual([]);
  });
});
