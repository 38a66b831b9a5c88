/**
 * Makes console.pack.json, the console as one file that the executable embeds: what the browser gets is the
 * same in development, in tests and in the executable, whose own build can't be minified (Elysia reads its
 * handlers' source). With --watch it packs again at each change.
 */
import { watch } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Contents are in base64; a font is compressed already. */
export type PackedFile = { readonly type: string; readonly body: string; readonly gzip?: string }
export type Pack = {
  readonly files: Readonly<Record<string, PackedFile>>
  /** The parts that main.js imports at once. */
  readonly preload: readonly string[]
}

const GIVEN = ['oswald-latin.woff2', 'oswald-latin-ext.woff2']
const types: Record<string, string> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  woff2: 'font/woff2',
}
const here = (name: string) => join(import.meta.dir, name)

async function pack(): Promise<void> {
  const { outputs } = await Bun.build({
    entrypoints: [here('main.tsx'), here('console.css')],
    target: 'browser',
    minify: true,
    splitting: true,
    external: ['*.woff2'],
    naming: { entry: '[name].[ext]', chunk: 'part-[hash].[ext]', asset: '[name].[ext]' },
    define: { 'process.env.NODE_ENV': '"production"' },
  })
  const files: Record<string, PackedFile> = {}
  for (const output of outputs)
    files[output.path.replace(/^\.\//, '')] = packed(output.path, new Uint8Array(await output.arrayBuffer()))
  for (const name of GIVEN) files[name] = packed(name, await Bun.file(here(`fonts/${name}`)).bytes())
  const main = (await outputs.find(({ path }) => path.endsWith('main.js'))?.text()) ?? ''
  const preload = [...main.matchAll(/(?:from|import)"\.\/(part-[\w-]+\.js)"/g)].map(([, name = '']) => name)
  // Two builds may run at once; each renames a complete file into place.
  const unfinished = here(`console.pack.json.${process.pid}`)
  await writeFile(unfinished, JSON.stringify({ files, preload } satisfies Pack))
  await rename(unfinished, here('console.pack.json'))
}

function packed(path: string, bytes: Uint8Array<ArrayBuffer>): PackedFile {
  const type = types[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream'
  const body = Buffer.from(bytes).toString('base64')
  if (path.endsWith('.woff2')) return { type, body }
  return { type, body, gzip: Buffer.from(Bun.gzipSync(bytes, { level: 9 })).toString('base64') }
}

await pack()
if (process.argv.includes('--watch'))
  watch(import.meta.dir, { recursive: true }, (_, name) => {
    if (/\.(tsx?|css)$/.test(name ?? '')) pack().catch(console.error)
  })
