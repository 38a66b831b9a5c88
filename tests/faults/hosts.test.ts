import { afterAll, afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync, statfsSync, statSync } from 'node:fs'
import { mkdir, readdir, rm, truncate } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, join } from 'node:path'
import { newFolder, removeFolders } from '../support/embedded'
import { executable } from '../support/executable'
import { withFaults } from '../support/faults'
import { type Program, quietSettings, runProgram, startProgram } from '../support/program'

// Hosts with too few resources: one sentence says what is missing and how to fix it, and nothing incomplete is left behind.
setDefaultTimeout(240_000)

let program: Program | undefined
afterEach(async () => {
  program?.kill('SIGKILL')
  await program?.exited
  program = undefined
})
afterAll(removeFolders)

const MAIN = [executable, 'serve']

/** Runs the program in a shell after another command. */
async function serveAfter(before: string, environment: Record<string, string>) {
  const child = Bun.spawn(['sh', '-c', `${before}; exec "$@"`, 'sh', ...MAIN], {
    env: { PATH: process.env.PATH ?? '', ...quietSettings, ...environment },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  })
  return { stderr: await new Response(child.stderr).text(), exitCode: await child.exited }
}
const refused = (sentence: string | RegExp) => ({
  exitCode: expect.any(Number),
  stderr: typeof sentence === 'string' ? sentence : expect.stringMatching(sentence),
})

test.skipIf(!withFaults).each(['777', '700', '277'])(
  'a umask of %s is refused before anything is created',
  async (umask) => {
    const DATA_DIR = join(await newFolder(), 'data')
    expect(await serveAfter(`umask ${umask}`, { DATA_DIR })).toEqual(
      refused(
        new RegExp(`^redlight serve: the umask ${umask} denies this user access .*: set it to 077.*\\n$`),
      ),
    )
    expect(existsSync(DATA_DIR)).toBeFalse()
  },
)

test.skipIf(!(withFaults && existsSync('/proc/self/limits')))(
  'too low a limit on open files is refused, on either database',
  async () => {
    const DATA_DIR = join(await newFolder(), 'data')
    const sentence =
      /^redlight serve: this process may open only 64 files; Redlight needs 128.*ulimit -n.*\n$/
    expect(await serveAfter('ulimit -n 64', { DATA_DIR })).toEqual(refused(sentence))
    expect(existsSync(DATA_DIR)).toBeFalse()
    const DATABASE_URL = 'postgres://app@127.0.0.1:1/redlight'
    expect(await serveAfter('ulimit -n 64', { DATABASE_URL })).toEqual(refused(sentence))
  },
)

const disks: [what: string, options: string][] = [
  ['too small', 'size=40m'],
  ['with no room for so many files', 'size=300m,nr_inodes=300'],
]
const mount = async (...args: string[]) => (await Bun.$`${args}`.quiet().nothrow()).exitCode === 0
const canMount = await (async () => {
  const folder = await newFolder()
  return (await mount('mount', '-t', 'tmpfs', 'none', folder)) && mount('umount', folder)
})()
if (!canMount) console.warn('left out: tests of full disks, as nothing can be mounted')

const diskFull = (command: string, dataDir: string) =>
  `redlight ${command}: the disk of DATA_DIR (${dataDir}) is full, or nearly: free 128 MB there, or set DATA_DIR to a folder on another disk\n`

describe.skipIf(!(withFaults && canMount))('a disk', () => {
  const full = (dataDir: string) => refused(diskFull('serve', dataDir))

  test.each(disks)('%s leaves nothing incomplete', async (_, options) => {
    const disk = await newFolder()
    await mount('mount', '-t', 'tmpfs', '-o', options, 'none', disk)
    try {
      const DATA_DIR = join(disk, 'data')
      expect(await serveAfter('true', { DATA_DIR })).toEqual(full(DATA_DIR))
      expect(await readdir(disk)).toEqual([])
      await mkdir(DATA_DIR)
      expect(await serveAfter('true', { DATA_DIR })).toEqual(full(DATA_DIR))
      expect(await readdir(DATA_DIR)).toEqual([])
    } finally {
      await mount('umount', disk)
    }
  })

  test('that filled up keeps its data, and the next start works', async () => {
    const disk = await newFolder()
    await mount('mount', '-t', 'tmpfs', '-o', 'size=300m', 'none', disk)
    try {
      const DATA_DIR = join(disk, 'data')
      program = await startProgram({ ...quietSettings, DATA_DIR })
      await program.stop()
      await Bun.$`cat /dev/zero > ${disk}/filling`.quiet().nothrow()
      expect(await serveAfter('true', { DATA_DIR })).toEqual(full(DATA_DIR))
      await Bun.file(join(disk, 'filling')).delete()
      program = await startProgram({ ...quietSettings, DATA_DIR })
      await program.stop()
    } finally {
      await mount('umount', disk)
    }
  })
})

describe.skipIf(!(withFaults && canMount))('an import onto a disk that fills up', () => {
  const movies = Array.from(
    { length: 1500 },
    (_, n) => `{"title":"Movie ${n}","year":2000,"synopsis":"${'word '.repeat(100)}end"}\n`,
  )

  test('ends with one sentence, and adds the rest once there is space', async () => {
    const disk = await newFolder()
    await mount('mount', '-t', 'tmpfs', '-o', 'size=200m', 'none', disk)
    try {
      const settings = { DATA_DIR: join(disk, 'data') }
      const file = join(await newFolder(), 'movies.ndjson')
      await Bun.write(file, movies.slice(0, 1))
      expect(await runProgram(settings, ['import', file])).toMatchObject({ exitCode: 0 })
      await Bun.write(file, movies)
      const { bavail, bsize } = statfsSync(disk)
      await Bun.write(join(disk, 'filling'), new Uint8Array(bavail * bsize - 1_048_576))
      const full = await runProgram(settings, ['import', file, '--json'])
      const { added, skipped } = JSON.parse(full.stdout)
      expect(full.exitCode).toBe(1)
      expect(full.stderr).toMatch(
        /^redlight import: the database failed: could not .*: No space left on device \(53100\): free space on its disk; .* written, and the same command again adds the rest, once that is solved\n$/,
      )
      await Bun.file(join(disk, 'filling')).delete()
      const again = await runProgram(settings, ['import', file, '--json'])
      expect(JSON.parse(again.stdout)).toMatchObject({
        rows: 1500,
        added: 1500 - added - skipped,
        rejected: 0,
      })
    } finally {
      await mount('umount', disk)
    }
  })

  test('is no reason to restore a backup, though the database needs more space than there is to start', async () => {
    const disk = await newFolder()
    await mount('mount', '-t', 'tmpfs', '-o', 'size=200m', 'none', disk)
    try {
      const DATA_DIR = join(disk, 'data')
      const file = join(await newFolder(), 'movies.ndjson')
      await Bun.write(
        file,
        Array.from({ length: 8 }, (_, n) => movies.join('').replaceAll('Movie', `${n}`)),
      )
      expect(await runProgram({ DATA_DIR }, ['migrate'])).toMatchObject({ exitCode: 0 })
      const free = () => statfsSync(disk).bavail * statfsSync(disk).bsize
      const filling = join(disk, 'filling')
      await Bun.write(filling, new Uint8Array(free() - 15 * 1_048_576))
      const { stderr } = await runProgram({ DATA_DIR }, ['import', file])
      expect(stderr).toContain('No space left on device')
      // Of the log, PostgreSQL creates 16 MB at once.
      await truncate(filling, statSync(filling).size + free() - 12 * 1_048_576)
      expect(await runProgram({ DATA_DIR }, ['export'])).toMatchObject({
        exitCode: 1,
        stderr: diskFull('export', DATA_DIR),
      })
      await rm(filling)
      await Bun.write(file, movies.slice(0, 1))
      expect(await runProgram({ DATA_DIR }, ['import', file])).toMatchObject({ exitCode: 0 })
    } finally {
      await mount('umount', disk)
    }
  })

  test('leaves only whole rows in a reject file', async () => {
    const disk = await newFolder()
    await mount('mount', '-t', 'tmpfs', '-o', 'size=300k', 'none', disk)
    try {
      const rejectFile = join(disk, 'rejected.ndjson')
      const settings = { DATA_DIR: join(await newFolder(), 'data') }
      const file = join(disk, '..', `${basename(disk)}.ndjson`)
      await Bun.write(
        file,
        movies.map((movie) => movie.replace('2000', '1000')),
      )
      const full = await runProgram(settings, ['import', file, '--reject-file', rejectFile])
      expect(full.exitCode).toBe(1)
      expect(full.stderr).toContain(
        `can't write ${rejectFile} (ENOSPC): the disk is full: free some space, or use another folder; 0 movies are written, and the same command with another --reject-file adds the rest, once that is solved`,
      )
      const rows = (await Bun.file(rejectFile).text()).trimEnd().split('\n')
      expect(rows.map((row) => JSON.parse(row).line)).toEqual(rows.map((_, index) => index + 1))
      await Bun.file(file).delete()
    } finally {
      await mount('umount', disk)
    }
  })
})

test.skipIf(!withFaults || Bun.which('prlimit') === null)(
  'an embedded database that can no longer write its log ends the service, and the next start works',
  async () => {
    const settings = { ...quietSettings, DATA_DIR: await newFolder() }
    program = await startProgram(settings)
    await Bun.$`prlimit --pid ${program.pid} --fsize=4194304`.quiet()
    const body = '{"name":"Alice","email":"alice@example.com","password":"pa55word-of-alice"}'
    const headers = { 'Content-Type': 'application/json' }
    const answer = await fetch(new URL('/v1/users', program.url), { method: 'POST', headers, body })
    expect(answer.status).toBe(503)
    expect(await program.exited).toBe(1)
    expect(program.lines.join('\n')).toMatch(
      /^redlight serve: the database failed: could not write to log file /m,
    )
    program = await startProgram(settings)
    expect(await program.stop()).toMatchObject({ exitCode: 0 })
  },
)

describe.skipIf(!withFaults)('a folder in use', () => {
  const ownerOf = async (dataDir: string) => JSON.parse(await Bun.file(join(dataDir, 'owner')).text())
  const inUse = (dataDir: string, by: string) => ({
    exitCode: 1,
    stderr: `redlight serve: ${dataDir} is in use by ${by}. Stop it, or set DATA_DIR.\n`,
  })

  test('names the process that uses it and its URL, and no other', async () => {
    const DATA_DIR = await newFolder()
    // Left by a killed process.
    await Bun.write(join(DATA_DIR, 'owner'), '{"pid":1,"host":"elsewhere","url":"http://127.0.0.1:1"}')
    program = await startProgram({ ...quietSettings, DATA_DIR })
    const { pid, url } = program
    expect(await ownerOf(DATA_DIR)).toEqual({ pid, host: hostname(), url: url.origin })
    expect(await serveAfter('true', { DATA_DIR })).toEqual(
      inUse(DATA_DIR, `redlight (pid ${pid}, ${url.origin})`),
    )
    // Its content isn't trusted.
    const notes: [note: string, by: string][] = [
      ['', 'another redlight'],
      ['{"pid":"1"}', 'another redlight'],
      [JSON.stringify({ pid: 2 ** 22 + 1, host: hostname() }), 'another redlight'],
      [JSON.stringify({ pid: 7, host: 'elsewhere' }), 'redlight (pid 7 on elsewhere)'],
    ]
    for (const [note, by] of notes) {
      await Bun.write(join(DATA_DIR, 'owner'), note)
      expect(await serveAfter('true', { DATA_DIR })).toEqual(inUse(DATA_DIR, by))
    }
    await program.stop()
    expect(existsSync(join(DATA_DIR, 'owner'))).toBeFalse()
  })
})
