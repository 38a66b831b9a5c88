import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync, statSync } from 'node:fs'
import { copyFile, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeHeader, HEADER_BYTES, type Manifest } from '../../src/backup/manifest'
import { readManifest, verifyFile } from '../../src/backup/read'
import { backedUpService, run } from '../support/backed-up'
import { redlight } from '../support/command-line'
import { failureOf } from '../support/embedded'
import { areFaultsWanted } from '../support/faults'

// Each start of the program takes seconds on a busy machine, and a test makes several.
setDefaultTimeout(300_000)

const { folder, source, file, newDatabase } = backedUpService()
// Only where mounting is allowed: as root, and not in every container.
const canMount =
  process.getuid?.() === 0 && (await Bun.$`unshare --mount true`.quiet().nothrow()).exitCode === 0

describe('a file that is not a complete backup', () => {
  const restored = (path: string) => redlight(['restore', path], { DATA_DIR: join(folder(), 'untouched') })
  async function refused(path: string, words: RegExp) {
    const { code, error } = await restored(path)
    expect({ code, error }).toEqual({ code: 1, error: expect.stringMatching(words) })
    expect(error.trim().split('\n')).toHaveLength(1)
    expect(existsSync(join(folder(), 'untouched'))).toBe(false)
  }
  /** The same in this process. */
  async function refusedHere(path: string, words: RegExp) {
    const error = await failureOf(readManifest(path).then((manifest) => verifyFile(path, manifest, () => {})))
    expect({ name: error.name, message: error.message }).toEqual({
      name: 'OperatorError',
      message: expect.stringMatching(words),
    })
  }
  async function spoilt(spoil: (bytes: Buffer) => Buffer): Promise<string> {
    const path = join(folder(), `spoilt-${crypto.randomUUID()}`)
    await Bun.write(path, spoil(Buffer.from(await Bun.file(file()).bytes())))
    return path
  }

  test('is refused in one line, and no database is opened', async () => {
    await refused(join(folder(), 'nowhere'), /ENOENT.*no such file/)
    await refused(folder(), /EISDIR.*name a file/)
    await refused(await spoilt(() => Buffer.from('')), /is not a Redlight backup file/)
    await refused(join(import.meta.dir, 'backup.test.ts'), /is not a Redlight backup file/)
    const { size } = statSync(file())
    for (const length of [HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 10, size - 2000, size - 1])
      await refusedHere(await spoilt((bytes) => bytes.subarray(0, length)), /is damaged or incomplete/)
    await refused(await spoilt((bytes) => bytes.subarray(0, -100)), /is damaged or incomplete/)
    await refused(await spoilt((bytes) => Buffer.concat([bytes, bytes.subarray(HEADER_BYTES)])), /damaged/)
  })

  test('is refused with any wrong bit', async () => {
    const { size } = statSync(file())
    const places = [...Array(60).keys()].map((i) => Math.floor((size - 1) * (i / 59)))
    for (const place of [...places, 3, 9, 60, 5000, HEADER_BYTES, HEADER_BYTES + 4]) {
      const flip = (bytes: Buffer) => {
        bytes[place] = (bytes[place] ?? 0) ^ 4
        return bytes
      }
      await refusedHere(await spoilt(flip), /is damaged or incomplete|is not a Redlight backup file/)
    }
  })

  test('is refused if a newer version wrote it', async () => {
    const { schema: newest, ...manifest } = await readManifest(file())
    for (const newer of [{ schema: newest + 1 }, { schema: newest, format: 2 }]) {
      const header = encodeHeader({ ...manifest, redlight: '9.0.0', ...newer } as Manifest)
      await refused(
        await spoilt((bytes) => Buffer.concat([header, bytes.subarray(HEADER_BYTES)])),
        /was written by a newer Redlight \(9\.0\.0\)/,
      )
    }
  })

  test.skipIf(!areFaultsWanted)(
    'is refused if its rows break a rule, and the database stays unchanged',
    async () => {
      const manifest = await readManifest(file())
      const tables = manifest.tables.map((table) =>
        table.name === 'movies'
          ? { ...table, columns: [...table.columns, 'nonsense"; drop table users; --'] }
          : table,
      )
      const path = await spoilt((bytes) =>
        Buffer.concat([encodeHeader({ ...manifest, tables }), bytes.subarray(HEADER_BYTES)]),
      )
      const database = await newDatabase()
      expect((await run(database, 'seed')).code).toBe(0)
      expect(await run(database, 'restore', path)).toMatchObject({
        code: 1,
        error: expect.stringContaining('is damaged or incomplete (the columns of movies)'),
      })
      expect((await run(database, 'movies', 'list', '--title', 'moana')).out).toContain('1 movie\n')
    },
  )
})

describe('a backup that cannot be written', () => {
  test('says why in one line, and leaves nothing behind', async () => {
    const place = join(folder(), 'place')
    await mkdir(place)
    const cases: [args: string[], code: number, words: RegExp][] = [
      [['backup'], 2, /missing required argument "file"/],
      [['backup', 'a', 'b'], 2, /unexpected argument "b"/],
      [['backup', '--keep', '0', place], 2, /--keep takes a number/],
      [['backup', '--keep', '3'], 2, /missing required argument "file"/],
      [['backup', '--check', '--verify', file()], 2, /"--check" cannot be used with option "--verify"/],
      [['backup', '--nonsense', file()], 2, /nonsense/],
      [['restore'], 2, /missing required argument "file"/],
      [['backup', join(place, 'nowhere', 'x')], 1, /ENOENT/],
      [['backup', '--keep', '3', join(place, 'nowhere')], 1, /ENOENT/],
      [['backup', '--keep', '3', file()], 1, /is not a folder/],
      [['backup', '/proc/x'], 1, /\(E(NOENT|ACCES|PERM|ROFS)\)/],
    ]
    for (const [args, code, words] of cases) {
      const finished = await run(source().database, ...args)
      expect({ args, code: finished.code, error: finished.error }).toEqual({
        args,
        code,
        error: expect.stringMatching(words),
      })
      expect(finished.error.trim().split('\n')).toHaveLength(1)
    }
    expect(await readdir(place)).toEqual([])
  })

  test.skipIf(!canMount)('on a full disk keeps the existing one', async () => {
    const place = join(folder(), 'small')
    await mkdir(place)
    await Bun.$`mount -t tmpfs -o size=16k none ${place}`
    try {
      await Bun.write(join(place, 'full.backup'), 'the one of yesterday')
      const { code, error } = await run(source().database, 'backup', '--force', join(place, 'full.backup'))
      expect({ code, error }).toEqual({
        code: 1,
        error: expect.stringContaining('(ENOSPC): the disk is full'),
      })
      expect(await Bun.file(join(place, 'full.backup')).text()).toBe('the one of yesterday')
      expect(await readdir(place)).toEqual(['full.backup'])
    } finally {
      await Bun.$`umount ${place}`
    }
  })
})

test('the newest backups are kept, and nothing else is touched', async () => {
  const place = join(folder(), 'kept')
  await mkdir(place)
  const old = ['redlight-20200101T000000Z.backup', 'redlight-20200102T000000Z.backup']
  for (const name of [...old, 'mine.backup']) await copyFile(file(), join(place, name))
  const taken = await run(source().database, 'backup', '--verify', '--keep', '2', place)
  expect(taken).toMatchObject({ code: 0, out: expect.stringMatching(/; verified\.\n/) })
  const [mine, first, second, ...more] = (await readdir(place)).sort()
  expect([mine, first, more]).toEqual(['mine.backup', old[1], []])
  expect(second).toMatch(/^redlight-2\d{7}T\d{6}Z\.backup$/)
  expect(await redlight(['backup', '--check', join(place, second ?? '')], {})).toMatchObject({ code: 0 })
})
