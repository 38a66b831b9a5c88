import { afterAll, beforeAll, expect, test } from 'bun:test'
import { variables } from '../src/config'
import { databaseVariables, redlight } from './support/command-line'
import { createTestDatabase, type TestDatabase } from './support/database'
import { startTestServer, type TestServer } from './support/server'

const readme = await Bun.file('README.md').text()

let database: TestDatabase
let server: TestServer
beforeAll(async () => {
  database = await createTestDatabase()
  server = await startTestServer({}, { database })
  // On PostgreSQL the films come by hand: `redlight seed`.
  expect((await redlight(['seed'], databaseVariables(database.config))).code).toBe(0)
})
afterAll(async () => {
  await server.stop()
  await database.drop()
})

/** The commands of the first ten minutes, each with the answer that the README shows for it. */
function walk(): { script: string; shown: string }[] {
  const [, chapter = ''] = /## The first ten minutes\n([\s\S]*?)\n## /.exec(readme) ?? []
  const lines = [...chapter.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block.trimEnd().split('\n'),
  )
  const steps: { script: string; shown: string }[] = []
  for (const line of lines) {
    const last = steps.at(-1)
    if (line.startsWith('# ') && last !== undefined) last.shown = line.slice(2)
    else steps.push({ script: line, shown: '' })
  }
  return steps
}

/** Whether an answer is what is shown of it, where … stands for anything. */
const matches = (answer: string, shown: string) =>
  new RegExp(`^${shown.split('…').map(RegExp.escape).join('.*')}$`, 's').test(answer)

test('the first ten minutes work line by line, and answer what is shown', async () => {
  const steps = walk()
  expect(steps.length).toBeGreaterThan(10)
  let state = 'curl() { command curl -sS "$@"; }\n'
  for (const { script, shown } of steps) {
    const line = script
      .replaceAll('localhost:4000', server.url.host)
      .replace('the-token-from-the-mail', () => 'MAILED')
    const isAssignment = /^[A-Z]+=/.test(line)
    if (line.includes('MAILED'))
      state += `${line.replace('MAILED', await server.mailedToken('alice@example.com'))}\n`
    else if (isAssignment) state += `${line}\n`
    else {
      const shell = Bun.spawn(['bash', '-c', state + line], { stderr: 'pipe' })
      const answer = await new Response(shell.stdout).text()
      expect({ line, answer, isAsShown: matches(answer, shown) }).toEqual({ line, answer, isAsShown: true })
    }
  }
})

test('the table names every variable', () => {
  const [, chapter = ''] = /## Configuration\n([\s\S]*?)\n## /.exec(readme) ?? []
  const named = [...chapter.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name]) => name)
  expect(variables.map(({ name }) => name).filter((name) => !named.includes(name))).toEqual([])
})

test('it fits into 150 lines', () => {
  expect(readme.split('\n').length).toBeLessThan(150)
})
