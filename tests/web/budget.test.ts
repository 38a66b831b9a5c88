import { expect, test } from 'bun:test'
import pack from '../../src/console/console.pack.json' with { type: 'file' }
import type { Pack } from '../../src/console/pack'

const KB = 1000
const { files, preload }: Pack = JSON.parse(await Bun.file(pack).text())
const sizeOf = (kind: string, names = Object.keys(files)) =>
  names
    .filter((name) => name.endsWith(kind))
    .map((name) => Buffer.from(files[name]?.gzip ?? files[name]?.body ?? '', 'base64').length)
    .reduce((sum, size) => sum + size, 0)

test('what a browser loads of the console stays small', () => {
  expect(sizeOf('.js')).toBeLessThanOrEqual(45 * KB)
  expect(sizeOf('.css')).toBeLessThanOrEqual(10 * KB)
  expect(sizeOf('oswald-latin.woff2')).toBeLessThanOrEqual(40 * KB)
})

test('the part of the operators is not loaded with the first page', () => {
  const first = ['main.js', ...preload]
  expect(sizeOf('.js', first)).toBeLessThan(sizeOf('.js'))
  const text = first.map((name) => Buffer.from(files[name]?.body ?? '', 'base64').toString()).join('')
  expect(text).toContain('Your account')
  expect(text).not.toContain('Audit trail')
})
