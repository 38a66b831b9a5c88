import { visible, visibleJson } from './visible'

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

export type LogFields = Readonly<Record<string, unknown>>
export type Log = Record<LogLevel, (message: string, fields?: LogFields) => void>

type Entry = LogFields & { readonly time: string; readonly level: LogLevel; readonly message: string }
export type LogFormat = (entry: Entry) => string

/** For machines: one JSON object per line. */
export const jsonLine: LogFormat = (entry) => `${visibleJson(entry)}\n`

type Paint = Readonly<Record<'dim' | 'red' | 'yellow', (text: string) => string>>

function painted(level: LogLevel, { dim, red, yellow }: Paint): string {
  const paint = { debug: dim, info: (text: string) => text, warn: yellow, error: red }[level]
  return paint(level.padEnd(5))
}

/** For a person at a terminal: fields after the message, multi-line texts below it. */
export const readableLine =
  (paint: Paint): LogFormat =>
  ({ time, level, message, ...fields }) => {
    const given = Object.entries(fields).filter(([, value]) => value !== undefined)
    const isLong = ([, value]: [string, unknown]) => typeof value === 'string' && value.includes('\n')
    const short = given
      .filter((entry) => !isLong(entry))
      .map(([name, value]) => ` ${name}=${readable(value)}`)
    const long = given
      .filter(isLong)
      .flatMap(([, value]) => String(value).trimEnd().split('\n'))
      .map((line) => `\n    ${visible(line)}`)
    return `${paint.dim(time.slice(11, 19))} ${painted(level, paint)} ${visible(message)}${short.join('')}${long.join('')}\n`
  }

// Text from outside must not move the cursor.
const readable = (value: unknown) =>
  typeof value === 'string' && /^[\x21\x23-\x7e]+$/.test(value) ? value : visibleJson(value)

/** RFC 3339, formatted once per millisecond. */
function createTimeText() {
  let known = { ms: Number.NaN, text: '' }
  return (ms: number): string => {
    if (ms !== known.ms) known = { ms, text: new Date(ms).toISOString() }
    return known.text
  }
}

/** Makes a line, with its newline. */
export type Line = () => string

/** A logger. `write` gets functions that make lines, since making many in a row costs a third. */
export function createLog(minimum: LogLevel, write: (line: Line) => void, format: LogFormat = jsonLine): Log {
  const timeText = createTimeText()
  const at = (level: LogLevel) => {
    if (logLevels.indexOf(level) < logLevels.indexOf(minimum)) return () => {}
    return (message: string, fields?: LogFields) => {
      const now = Date.now()
      write(() => format({ time: timeText(now), level, message, ...fields }))
    }
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/**
 * Safe fields of an error: name, message, where it was thrown. A database error gets only its code, because
 * its message and properties contain SQL and values.
 */
export function describeError(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: typeof error }
  const cause = error.cause instanceof Error ? error.cause : error
  if ('code' in cause && typeof cause.code === 'string')
    return {
      error: cause.name,
      code: cause.code,
      constraint: 'constraint_name' in cause ? cause.constraint_name : undefined,
    }
  return { error: error.name, reason: error.message, stack: error.stack }
}

// A reader that has stopped must not fill our memory.
const MAX_UNREAD_BYTES = 16 * 1_048_576
/** Limit on how long a line waits for others: writing one by one takes an eighth of a busy service's time. */
export const MAX_LINE_DELAY_MS = 10
type Sink = { write(text: string): unknown; readonly writableLength: number }

/**
 * Writes lines at the end of the event loop's turn or, under load, every 10 ms. Drops lines that nobody
 * reads, and logs how many.
 */
export function createLineWriter(sink: Sink) {
  let pending: Line[] = []
  let dropped = 0
  let writtenAt = Number.NEGATIVE_INFINITY

  function flush() {
    const lines = pending
    pending = []
    writtenAt = performance.now()
    if (lines.length === 0) return
    if (sink.writableLength > MAX_UNREAD_BYTES) {
      dropped += lines.length
      return
    }
    if (dropped > 0)
      sink.write(
        jsonLine({
          time: new Date().toISOString(),
          level: 'warn',
          message: 'log lines were dropped',
          dropped,
        }),
      )
    dropped = 0
    sink.write(lines.map((line) => line()).join(''))
  }

  return {
    write(line: Line) {
      if (pending.length === 0) {
        const pauseMs = writtenAt + MAX_LINE_DELAY_MS - performance.now()
        if (pauseMs > 0) setTimeout(flush, pauseMs)
        else setImmediate(flush)
      }
      pending.push(line)
    },
    flush,
  }
}
