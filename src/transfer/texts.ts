// JavaScript trims all white space of Unicode but this.
const NEXT_LINE = '\x85'

export function trimmed(text: string): string {
  let short = text.trim()
  while (short.startsWith(NEXT_LINE)) short = short.slice(1).trimStart()
  while (short.endsWith(NEXT_LINE)) short = short.slice(0, -1).trimEnd()
  return short
}

const MISSING = new Set(['', '\\N', 'N/A', 'n/a', 'nan', 'NaN'])
/** How files write that a value is missing. */
export const isNothing = (text: string) => MISSING.has(text)
/** "N/A" and "nan" may be titles. */
export const isNoTitle = (text: string) => text === '' || text === '\\N'

/** A text, or a number of JSON that JavaScript holds exactly. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return trimmed(value)
  if (typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return String(value)
}

const OTHER_KIND = /^(?:(?:tv|video|mini|podcast|web)[ _-]?){0,3}(?:series|episode|game|show|season)s?$/i
/** Whether a type, such as `tvSeries`, `Podcast Episode` or `Video Game`, is another than movie. */
export const isOtherKind = (value: unknown) => typeof value === 'string' && OTHER_KIND.test(value.trim())

const YEAR = /^\((\d{4})\)$/
/** "Toy Story (1995)" → the title and the year. */
export function splitYear(value: unknown): { title: unknown; year?: string } {
  if (typeof value !== 'string') return { title: value }
  const text = trimmed(value)
  const [, year] = YEAR.exec(text.slice(-6)) ?? []
  const title = text.slice(0, -6).trimEnd()
  return year === undefined || title === '' ? { title: value } : { title, year }
}

const ARTICLE = /^(.+), (The|An?|Les?|Las?|L'|L’|El|Los|Il|Lo|Gli|De[rnt]?|Die|Das|Het|Une?|Una|Uno|Eine?)$/s
const IN_BRACKETS = /\(([^()]+)\)/g
const MAX_TITLE = 1000

/** "White Balloon, The (Badkonake sefid)" → "The White Balloon (Badkonake sefid)". */
export function articleInFront(title: string): string {
  if (title.length > MAX_TITLE) return title
  const bracket = title.indexOf(' (')
  const main = bracket < 0 ? title : title.slice(0, bracket)
  const rest = title.slice(main.length)
  return inFront(main) + rest.replace(IN_BRACKETS, (_, part: string) => `(${inFront(part)})`)
}

function inFront(text: string): string {
  const [, rest, article = ''] = ARTICLE.exec(text) ?? []
  if (rest === undefined) return text
  return /['’]$/.test(article) ? article + rest : `${article} ${rest}`
}
