import { join } from 'node:path'
import type { Page } from 'playwright-core'

type Results = { violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }

const script = await Bun.file(join(import.meta.dir, '../../node_modules/axe-core/axe.min.js')).text()

/** What axe finds that shuts people out of the page, one line a place. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(script)
  const { violations } = await page.evaluate<Results>('axe.run(document, { resultTypes: ["violations"] })')
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${page.url()} ${id}: ${html.slice(0, 200)} ${failureSummary}`),
  )
}
