const levels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof levels)[number]
export const logLevels: readonly LogLevel[] = levels

export type LogFields = Readonly<Record<string, unknown>>
export type Log = Record<LogLevel, (message: string, fields?: LogFields) => void>

/** A logger of one JSON object a line; `write` gets each line with its newline. */
export function createLog(minimum: LogLevel, write: (line: string) => void): Log {
  const at = (level: LogLevel) =>
    levels.indexOf(level) < levels.indexOf(minimum)
      ? () => {}
      : (message: string, fields?: LogFields) =>
          write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/**
 * What may be logged of an error: its name, its message, where it was thrown. A database error is told by its
 * code alone, because its message and its properties hold SQL and the values in it.
 */
export function describeError(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: typeof error }
  const cause = error.cause instanceof Error ? error.cause : error
  const { code, constraint_name: constraint } = cause as { code?: unknown; constraint_name?: unknown }
  if (typeof code === 'string') return { error: cause.name, code, constraint }
  return { error: error.name, reason: error.message, stack: error.stack }
}
