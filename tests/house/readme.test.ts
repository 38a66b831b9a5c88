import { afterAll, describe, expect, test } from 'bun:test'
import packageJson from '../../package.json'
import { allVariables } from '../../src/config/config'
import { databaseVariables } from '../support/command-line'
import { createFilledDatabase, createTestDatabase, testDatabaseUrl } from '../support/database'
import { executable } from '../support/executable'
import { areFaultsWanted } from '../support/faults'
import { launchProgram, type Program, startProgram } from '../support/program'
import { isAsShown, type Step, startShell, stepsOf } from '../support/shell-blocks'
import { until } from '../support/until'

// Runs every command of the README and the guide on a fresh service, and compares its output with the one shown.

const readme = await Bun.file('README.md').text()
const guide = await Bun.file('docs/GUIDE.md').text()

const toStop: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const stop of toStop.reverse()) await stop()
})

/** The service as it starts for a new user, with movies, and a shell. */
async function freshStart() {
  const database = await createFilledDatabase()
  toStop.push(() => database.drop())
  const env = databaseVariables(database.config)
  const program = await startProgram({ ...env, PORT: '0' })
  toStop.push(() => program.stop())
  const shell = startShell({ ...env, PROGRAM: executable })
  toStop.push(async () => shell.stop())
  const bun = process.execPath
  await shell.run(`curl() { command curl -sS "$@"; }; redlight() { $PROGRAM "$@"; }; node() { ${bun} "$@"; }`)
  return { program, shell }
}

/** Waits for the newest mail with these words in its subject, and returns its token from the log. */
async function mailedToken({ lines }: Pick<Program, 'lines'>, about: RegExp): Promise<string> {
  return until(() => {
    const mail = lines.findLast((line) => line.includes('"message":"mail"') && about.test(line))
    return /\b[A-Z2-7]{26}\b/.exec(mail ?? '')?.[0]
  })
}

async function walk(steps: readonly Step[]) {
  const { program, shell } = await freshStart()
  for (const [index, { line, script, shown }] of steps.entries()) {
    let typed = script.replaceAll('localhost:4000', program.url.host)
    if (typed.includes('the-token-from-the-mail')) {
      const about = steps[index + 1]?.script.includes('/password') ? /"subject":"[^"]*reset/i : /"subject":/
      typed = typed.replace('the-token-from-the-mail', await mailedToken(program, about))
    }
    const answer = await shell.run(typed)
    expect({ line, script, answer, isAsShown: isAsShown(answer, shown) }).toEqual({
      line,
      script,
      answer,
      isAsShown: true,
    })
  }
}

const isScript = ({ script }: Step) => script.startsWith('npx ')
const isOnPostgres = ({ script }: Step) => /^export |^redlight serve$/.test(script)

test('the commands of the README print what is shown', async () => {
  const steps = stepsOf(readme).filter((step) => !isScript(step) && !isOnPostgres(step))
  expect(steps.length).toBeGreaterThan(10)
  await walk(steps)
})

test.skipIf(!areFaultsWanted)('the commands of the guide print what is shown', async () => {
  const steps = stepsOf(guide)
  expect(steps.length).toBeGreaterThan(25)
  await walk(steps)
})

describe('the start of the README', () => {
  test('names existing scripts, and the right version of Bun', () => {
    const steps = [...readme.matchAll(/npx -y bun@(\S+) run ([a-z]+)/g)]
    expect(steps.map(([, , script]) => script)).toContain('start')
    for (const [, version, script = ''] of steps) {
      expect(version).toBe(packageJson.devDependencies.bun)
      expect(Object.keys(packageJson.scripts)).toContain(script)
    }
  })

  if (testDatabaseUrl === undefined) console.log('no TEST_DATABASE_URL: the start on PostgreSQL is left out')
  test.skipIf(testDatabaseUrl === undefined)('works on PostgreSQL as written', async () => {
    const database = await createTestDatabase()
    toStop.push(() => database.drop())
    const steps = stepsOf(readme).filter(isOnPostgres)
    const serve = steps.pop()
    expect(serve?.script).toBe('redlight serve')
    const shell = startShell({})
    const url = databaseVariables(database.config).DATABASE_URL ?? ''
    for (const { script } of steps)
      expect(await shell.run(script.replace(/postgres:\/\/\S+/, () => url))).toBe('')
    const [DATABASE_URL = '', JWT_SECRET = ''] = (
      await shell.run('echo "$DATABASE_URL"; echo "$JWT_SECRET"')
    ).split('\n')
    shell.stop()
    const program = launchProgram({ DATABASE_URL, JWT_SECRET, PORT: '0' })
    toStop.push(() => program.stop())
    expect((await fetch(new URL('/v1/healthcheck', await program.listening))).status).toBe(200)
  })
})

test('the table names every variable', () => {
  const [, chapter = ''] = /## Configuration\n([\s\S]*?)\n## /.exec(readme) ?? []
  const named = [...chapter.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name]) => name)
  expect(allVariables.map(({ name }) => name).filter((name) => !named.includes(name))).toEqual([])
})

test('it has at most 150 lines', () => {
  expect(readme.split('\n').length).toBeLessThan(150)
})
