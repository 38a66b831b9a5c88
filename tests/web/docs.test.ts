import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { startTestServer, type TestServer } from '../support/server'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

describe('the documentation page', () => {
  test('loads and runs only our own files', async () => {
    const page = await server.request('GET', '/docs')
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(policy.split('; ')).toContain("default-src 'none'")
    expect(policy.split('; ')).toContain("script-src 'self'")
    expect(policy).not.toContain('unsafe')
    expect(policy).not.toContain('http')
    expect(page.text).not.toMatch(/https?:|\/\/[a-z]|<script>|<style|\sstyle=|\son[a-z]+=/)
  })

  test('serves every file that it names, cacheable forever', async () => {
    const page = await server.request('GET', '/docs')
    const names = [...page.text.matchAll(/(?:src|href)="(docs\/assets\/[^"]+)"/g)].map(
      ([, name = '']) => `/${name}`,
    )
    expect(names).toHaveLength(5)
    const types: Record<string, string> = {
      js: 'text/javascript; charset=utf-8',
      css: 'text/css; charset=utf-8',
      svg: 'image/svg+xml',
    }
    for (const name of names) {
      const asset = await server.request('GET', name)
      expect(asset.status).toBe(200)
      expect(asset.headers.get('content-type') ?? '').toBe(types[name.split('.').at(-1) ?? ''] ?? '')
      expect(asset.headers.get('cache-control')).toContain('immutable')
      if (/\/docs\.[a-z]+$/.test(name)) expect(asset.text).not.toMatch(/https?:|url\(/)
      const older = await server.request('GET', name.replace(/assets\/[^/]+/, 'assets/older'))
      expect(older.headers.get('cache-control')).toBe('no-cache')
    }
    expect((await server.request('GET', '/docs/assets/x/package.json')).status).toBe(404)
  })

  test('does not serve the plugin’s page, which loads from another server', async () => {
    for (const path of ['/docs', '/docs/', '/docs/json', '/swagger', '/swagger/json']) {
      const answer = await server.request('GET', path)
      expect(answer.text).not.toMatch(/unpkg|jsdelivr|scalar/i)
    }
  })
})
