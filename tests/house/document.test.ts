import { describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { $ } from 'bun'
import { type Content, documentedService } from '../support/openapi'

const REDOCLY = join(import.meta.dir, '..', '..', 'node_modules', '.bin', 'redocly')
const { server, document, operations, problemsAt } = documentedService()

describe('the OpenAPI document', () => {
  test('is valid 3.1 without errors for redocly lint', async () => {
    expect(document().openapi).toBe('3.1.0')
    const folder = await mkdtemp(join(tmpdir(), 'redlight-test-'))
    await Bun.write(join(folder, 'openapi.json'), JSON.stringify(document()))
    const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
    const lint = await $`${process.execPath} ${REDOCLY} lint openapi.json`
      .cwd(folder)
      .env(env)
      .nothrow()
      .quiet()
    await rm(folder, { recursive: true })
    expect(lint.exitCode === 0 ? 'valid' : lint.stderr.toString()).toBe('valid')
  }, 240_000)

  test('has exactly the routes', () => {
    const documented = [...operations.values()].map(
      ({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/, ':$1')}`,
    )
    // Pages are for people, so generated clients don't need them.
    const known = server().routes.filter((route) => / \/(v1\/|metrics$|debug\/vars$|omdb$)/.test(route))
    expect(documented.sort()).toEqual(known.sort())
  })

  test('describes every operation, with a unique name', () => {
    for (const [id, { summary, description, tags, security, responses, requestBody }] of operations) {
      expect([id, summary, description].every((text) => text.length > 0)).toBe(true)
      expect(tags).toHaveLength(1)
      expect(Array.isArray(security)).toBe(true)
      expect(Object.keys(responses)).toContain('500')
      expect(Object.keys(requestBody?.content ?? { 'application/json': {} })).toEqual(['application/json'])
    }
    const count = Object.values(document().paths).flatMap((methods) => Object.keys(methods)).length
    expect(operations.size).toBe(count)
  })

  test('has examples that match their schemas', () => {
    let checked = 0
    const check = (place: string[], content: Content = {}) => {
      for (const [type, { example, examples = {} }] of Object.entries(content))
        for (const value of [example, ...Object.values(examples).map(({ value }) => value)]) {
          if (value === undefined) continue
          expect({ place, problems: problemsAt([...place, 'content', type, 'schema'], value) }).toEqual({
            place,
            problems: [],
          })
          checked++
        }
    }
    for (const { method, path, requestBody, responses } of operations.values()) {
      const place = ['paths', path, method.toLowerCase()]
      check([...place, 'requestBody'], requestBody?.content)
      for (const [status, { content }] of Object.entries(responses))
        check([...place, 'responses', status], content)
    }
    expect(checked).toBeGreaterThan(100)
  })
})
