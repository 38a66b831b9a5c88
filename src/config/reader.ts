import { quoted } from '../rules/suggest'
import { TILDE } from './values'
import type { Variable, VariableWithDefault } from './variables'

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'))
  }
}

/** Quotes the wrong text, unless it looks like a URL with a password. */
const notThis = (text: string) => (/:.*@/.test(text) ? '' : `, not ${quoted(text)}`)

const WHITE_SPACE = 'begins or ends with white space, perhaps from a Windows line end: remove it'

/** Quotes, spaces and ~ that a shell would handle, but docker's --env-file, systemd and Compose pass on. */
function unmeantIn(name: string, text = '', isPath = false): string | undefined {
  if (/^(["']).*\1$/s.test(text))
    return `${name} is in quotes, which docker's --env-file keeps: write it without${isPath ? '' : `, or into ${name}_FILE if they belong to the value`}`
  if (isPath && /^\s|\s$/.test(text)) return `${name} ${WHITE_SPACE}`
  if (isPath && text.startsWith('~')) return `${name} ${TILDE}`
}

export type Environment = Readonly<Record<string, string | undefined>>
export type Reader = ReturnType<typeof createReader>

type ReadFile = (path: string) => string

function readValueFile(name: string, path: string, readFile: ReadFile, problems: string[]) {
  try {
    // Windows editors add a byte order mark.
    const text = readFile(path)
      .replace(/^\uFEFF/, '')
      .replace(/\r?\n$/, '')
    if (text !== '') return text
    problems.push(`${name}_FILE names an empty file, ${path}: write the value into it, or unset ${name}_FILE`)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${error.code})` : ''
    problems.push(`${name}_FILE names a file that can't be read${code}: ${path}`)
  }
}

/** Reads variables, from the environment or from the file that NAME_FILE names, and collects the problems. */
export function createReader(environment: Environment, readFile: ReadFile) {
  const problems: string[] = []
  // Compose files and systemd units unset a variable by leaving it empty.
  const given = (name: string) => environment[name] || undefined
  const fileOf = (variable: Variable<unknown>) => given(`${variable.name}_FILE`)

  function read<T>(variable: Variable<T>): T | undefined {
    const { name, parse } = variable
    const path = fileOf(variable)
    const direct = given(name)
    if (path !== undefined && direct !== undefined) {
      problems.push(`${name} and ${name}_FILE are both set: unset one of them`)
      return undefined
    }
    const unmeant = path === undefined ? unmeantIn(name, direct) : unmeantIn(`${name}_FILE`, path, true)
    if (unmeant !== undefined) {
      problems.push(unmeant)
      return undefined
    }
    const text = path === undefined ? direct : readValueFile(name, path, readFile, problems)
    if (text === undefined) return undefined
    const title = path === undefined ? name : `${name} (from ${name}_FILE)`
    const wrong = (rule: string, offending?: string) => {
      const isPublic = path === undefined && offending !== undefined
      problems.push(`${title} ${rule}${isPublic ? notThis(offending) : ''}`)
      return undefined
    }
    if (/^\s|\s$/.test(text)) return wrong(WHITE_SPACE)
    // The replacement character stands for bytes that aren't UTF-8, such as a raw binary key.
    if (/[\p{Cc}\uFFFD]/u.test(text)) return wrong('must be one line of text, without control characters')
    return parse(text, wrong)
  }

  const isSet = (variable: Variable<unknown>) => (given(variable.name) ?? fileOf(variable)) !== undefined

  return {
    problems,
    isSet,
    /** Records a variable that has no effect without another one. */
    needs(variable: Variable<unknown>, other: Variable<unknown>) {
      if (isSet(variable) && !isSet(other))
        problems.push(
          `${variable.name} is set without ${other.name}: set ${other.name}, or unset ${variable.name}`,
        )
    },
    optional: read,
    /** A wrong value is replaced by the default, so that reading continues. */
    value<T>(variable: VariableWithDefault<T>): T {
      const standard = variable.parse(variable.default, () => undefined)
      if (standard === undefined) throw new Error(`the default of ${variable.name} is wrong`)
      return read(variable) ?? standard
    },
  }
}
