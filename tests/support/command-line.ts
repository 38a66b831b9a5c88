import type { DatabaseConfig } from '../../src/config/database'
import { compilers, executable } from './executable'
import { JWT_SECRET } from './server'

export type Finished = { code: number; out: string; error: string }

/** Environment variables for a test's database. */
export const databaseVariables = (config: DatabaseConfig): Record<string, string> =>
  config.kind === 'postgres'
    ? { DATABASE_URL: config.url, JWT_SECRET }
    : { DATA_DIR: config.dataDir, JWT_SECRET }

/** Starts the program with only these arguments and this environment. */
export const spawnRedlight = (args: string[], env: Record<string, string>, input = '') =>
  Bun.spawn([executable, ...args], {
    env: { PATH: process.env.PATH ?? '', ...compilers, ...env },
    stdin: new Blob([input]),
    stdout: 'pipe',
    stderr: 'pipe',
  })

/** Runs a command to its end. */
export async function redlight(args: string[], env: Record<string, string>, input = ''): Promise<Finished> {
  const child = spawnRedlight(args, env, input)
  const [out, error, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { code, out, error }
}
