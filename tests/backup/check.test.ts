import { afterAll, beforeAll, expect, test } from 'bun:test'
import { lstat, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkBackup } from '../../src/backup/check'
import { readManifest } from '../../src/backup/read'
import { createLog } from '../../src/log'
import { databaseVariables, type Finished, redlight } from '../support/command-line'
import { createFilledDatabase, type TestDatabase } from '../support/database'
import { executable } from '../support/executable'

let folder: string
let database: TestDatabase
let run: (...args: string[]) => Promise<Finished>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redlight-backup-'))
  database = await createFilledDatabase()
  run = (...args) => redlight(args, databaseVariables(database.config))
})
afterAll(async () => {
  await database.drop()
  await rm(folder, { recursive: true })
})

test('a backup is verified row by row, and each row is counted when restored and when read', async () => {
  const path = join(folder, 'verified.backup')
  expect(await run('backup', path)).toEqual({
    code: 0,
    out: `Wrote ${path}: 1 user, 120 movies, 0 favourites.\n`,
    error: '',
  })
  const manifest = await readManifest(path)
  let counted = 0
  const log = createLog('error', (line) => console.error(line()))
  await checkBackup(path, manifest, log, (rows) => {
    counted += rows
  })
  expect(counted).toBe(2 * manifest.tables.reduce((sum, { rows }) => sum + rows, 0))
})

test('an existing file is overwritten only with --force', async () => {
  const path = join(folder, 'mine.txt')
  await Bun.write(path, 'mine')
  const before = await readdir(folder)
  for (const args of [[path], [path, '--verify']])
    expect(await run('backup', ...args)).toEqual({
      code: 1,
      out: '',
      error: `redlight backup: ${path} exists already: name another file, or overwrite it with --force\n`,
    })
  expect(await Bun.file(path).text()).toBe('mine')
  expect(await readdir(folder)).toEqual(before)
  expect(await run('backup', path, '--force')).toMatchObject({ code: 0 })
  expect((await readManifest(path)).tables.map(({ name }) => name)).toContain('movies')
})

test('a pipe or a device is not replaced by the file, nor is a link', async () => {
  const pipe = join(folder, 'pipe')
  await Bun.$`mkfifo ${pipe}`
  for (const args of [[pipe], [pipe, '--force']])
    expect(await run('backup', ...args)).toEqual({
      code: 1,
      out: '',
      error: `redlight backup: ${pipe} is a device or a pipe, which can't hold a backup: name a file\n`,
    })
  expect((await lstat(pipe)).isFIFO()).toBe(true)
  const path = join(folder, 'linked.backup')
  await Bun.write(path, 'mine')
  await symlink(path, `${path}.link`)
  expect(await run('backup', `${path}.link`, '--force')).toMatchObject({ code: 0 })
  expect((await lstat(`${path}.link`)).isSymbolicLink()).toBe(true)
  expect((await readManifest(path)).tables.map(({ name }) => name)).toContain('movies')
  await rm(pipe)
})

test('a file name that begins with a dash works after --', async () => {
  const path = '-dash.backup'
  const inFolder = (...args: string[]) =>
    Bun.$`cd ${folder} && ${executable} ${args}`
      .env({ PATH: process.env.PATH ?? '', ...databaseVariables(database.config) })
      .quiet()
      .nothrow()
  expect((await inFolder('backup', '--', path)).exitCode).toBe(0)
  const checked = await inFolder('backup', '--check', '--', path)
  expect(checked.stdout.toString()).toMatch(/^-dash\.backup is intact: 1 user, 120 movies, .*; verified\.\n$/)
})
