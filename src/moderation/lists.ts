import type { Command } from 'commander'
import { type CommandContext, counted } from '../cli/command'
import { UsageError } from '../errors'
import { parseId } from '../rules/fields'
import { quoted } from '../rules/suggest'

export const PAGE_SIZE = 100
export type PageOptions = { page: number; json?: true }

/** The options of a list that is shown page by page. */
export const addPageOptions = (command: Command): Command =>
  command.option('--page <n>', 'another page than the first', toPage, 1).option('--json', 'print JSON')

function toPage(text: string): number {
  const page = parseId(text)
  if (page === undefined) throw new UsageError(`--page takes a number from 1, not ${quoted(text)}`)
  return page
}

/** The last line of a page. */
export function printTotal(
  { print }: Pick<CommandContext, 'print'>,
  { page, total, noun }: { page: number; total: number; noun: string },
) {
  const pages = Math.max(1, Math.ceil(total / PAGE_SIZE))
  if (page > pages) print(`Page ${page} doesn't exist; the last page is ${pages}.`)
  else print(counted(total, noun) + (pages === 1 ? '' : `; page ${page} of ${pages}`))
}

export const metadataOf = (page: number, total: number) => ({
  current_page: page,
  page_size: PAGE_SIZE,
  first_page: 1,
  last_page: Math.max(1, Math.ceil(total / PAGE_SIZE)),
  total_records: total,
})
