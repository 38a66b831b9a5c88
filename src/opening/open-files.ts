import { readFileSync } from 'node:fs'
import { OperatorError } from '../errors'

/** Enough for the database's files or connections and some clients. */
const LEAST = 128

/** With fewer, something fails to open later, with a misleading error. */
export function requireOpenFiles() {
  const limit = readLimit()
  if (limit < LEAST)
    throw new OperatorError(
      `this process may open only ${limit} files; Redlight needs ${LEAST}, better 1024. Raise the limit (ulimit -n, LimitNOFILE= in systemd, --ulimit nofile= in docker)`,
      { isFinal: true },
    )
}

function readLimit(): number {
  try {
    const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return Number(limit ?? Number.POSITIVE_INFINITY)
  } catch {
    // Not on Linux.
    return Number.POSITIVE_INFINITY
  }
}
