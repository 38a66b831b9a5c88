import { ConfigError, readConfig } from '../../src/config/config'

export type Environment = Record<string, string>

export const SECRET = 'a-secret-of-thirty-two-bytes-0001'
export const POSTGRES = { DATABASE_URL: 'postgres://app:hunter2@db/redlight', JWT_SECRET: SECRET }
export const SMTP = { SMTP_HOST: 'mail.example.com' }

export const configOf = (environment: Environment, files: Environment = {}) =>
  readConfig(environment, (path) => {
    const text = files[path]
    if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
    return text
  })

export function problemsOf(environment: Environment, files: Environment = {}): readonly string[] {
  try {
    configOf(environment, files)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}
