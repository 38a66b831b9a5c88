import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { $, CryptoHasher, Glob } from 'bun'
import manifest from '../../package.json'
import { createSbom } from './sbom'

// `bun run release [target …]` writes the executables, their SBOM and SHA256SUMS into dist/, and starts each that this
// machine can run. It goes on when a target can't be had, and then ends with 1.

const ROOT = join(import.meta.dir, '..', '..')
const TARGETS = ['linux-x64', 'linux-x64-baseline', 'linux-arm64', 'darwin-arm64', 'windows-x64']
const STARTS_WITHIN_MS = 120_000

const folder = resolve(process.env.RELEASE_DIR ?? join(ROOT, 'dist'))
const OUTPUT = new Glob('{redlight-*,SHA256SUMS}')
const targets = process.argv.length > 2 ? process.argv.slice(2) : TARGETS
const prefix = join(folder, `redlight-${manifest.version}`)

const unknown = targets.filter((target) => !TARGETS.includes(target))
if (unknown.length > 0) {
  console.error(`release: no such target: ${unknown.join(', ')}; there are ${TARGETS.join(', ')}`)
  process.exit(2)
}

await mkdir(folder, { recursive: true })
for await (const name of OUTPUT.scan(folder)) await rm(join(folder, name))
const files: string[] = []
const failed: string[] = []
for (const target of targets) {
  const file = await build(target)
  if (file === undefined) {
    failed.push(target)
    continue
  }
  files.push(file)
  if (!(await isSound(target, file))) failed.push(target)
}
const sbom = `${prefix}.cdx.json`
const committedAt = new Date((await $`git log -1 --format=%cI`.cwd(ROOT).text()).trim())
await Bun.write(sbom, `${JSON.stringify(await createSbom(ROOT, committedAt), null, 2)}\n`)
files.push(sbom)
const sums = await Promise.all(files.map(async (file) => `${await sha256(file)}  ${basename(file)}\n`))
await Bun.write(join(folder, 'SHA256SUMS'), sums.join(''))
console.log(`${folder} holds ${[...files.map((file) => basename(file)), 'SHA256SUMS'].join(', ')}`)
if (failed.length > 0) console.error(`release: failed: ${failed.join(', ')}`)
process.exit(failed.length > 0 ? 1 : 0)

/** Builds as `bun run build` does, on the runtime that Bun gets from the registry; undefined when it can't be had. */
async function build(target: string): Promise<string | undefined> {
  const file = `${prefix}-${target}${target.startsWith('windows') ? '.exe' : ''}`
  console.log(`${target}: building`)
  // The last --outfile counts.
  const { exitCode, stdout, stderr } = await $`bun run build --target=bun-${target} --outfile ${file}`
    .cwd(ROOT)
    .nothrow()
    .quiet()
  if (exitCode === 0 && (await Bun.file(file).exists())) return file
  console.error(`${target}: not built: ${`${stdout}${stderr}`.trim().split('\n').slice(-3).join(' ')}`)
  return undefined
}

/** Whether it serves; true, and said, where this machine can't run it. */
async function isSound(target: string, file: string): Promise<boolean> {
  if (
    !`${target}-`.startsWith(
      `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}-`,
    )
  ) {
    console.log(`${target}: built; this machine can't run it, so it was not started`)
    return true
  }
  const serves = await start(file)
  console.log(serves ? `${target}: built, started, and it serves` : `${target}: built, but it does not serve`)
  return serves
}

async function start(file: string): Promise<boolean> {
  const dataDir = await mkdtemp(join(tmpdir(), 'redlight-release-'))
  const child = Bun.spawn([file, 'serve'], {
    env: { PORT: '0', DATA_DIR: dataDir },
    stdout: 'pipe',
    stderr: 'inherit',
    timeout: STARTS_WITHIN_MS,
  })
  let printed = ''
  let answered: number | undefined
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    printed += text
    const [, url] = /"message":"listening","url":"([^"]+)"/.exec(printed) ?? []
    if (url === undefined || answered !== undefined) continue
    answered = (await fetch(new URL('/v1/healthcheck', url))).status
    child.kill()
  }
  const exitCode = await child.exited
  await rm(dataDir, { recursive: true })
  return answered === 200 && exitCode === 0
}

async function sha256(file: string): Promise<string> {
  const hasher = new CryptoHasher('sha256')
  for await (const chunk of Bun.file(file).stream()) hasher.update(chunk)
  return hasher.digest('hex')
}
