const MINUTES = /^(\d{1,9})(?:\.0+)?(?: ?mins?| ?m|')?$/i
const HOURS = /^(\d{1,4}) ?h(?: ?([0-5]?\d) ?(?:m|mins?)?)?$/i
const CLOCK = /^(\d{1,3}):([0-5]\d):([0-5]\d)$/
const ISO_DURATION = /^PT(?=\d)(?:(\d{1,4})H)?(?:(\d{1,6})M)?(?:(\d{1,6})(?:\.\d+)?S)?$/

/**
 * Minutes of a running time, rounded where it has seconds; undefined for what isn't one, such as `1:37`, which
 * may be hours as well as minutes.
 */
export function readRuntime(text: string): number | undefined {
  const [, minutes] = MINUTES.exec(text) ?? []
  if (minutes !== undefined) return Number(minutes)
  const [, hours, rest = '0'] = HOURS.exec(text) ?? []
  if (hours !== undefined) return Number(hours) * 60 + Number(rest)
  const found = CLOCK.exec(text) ?? ISO_DURATION.exec(text)
  if (found === null) return undefined
  const [, h = '0', m = '0', s = '0'] = found
  return Number(h) * 60 + Number(m) + Math.round(Number(s) / 60)
}
