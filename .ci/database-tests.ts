import { dirname, join, normalize } from 'node:path'
import { Glob } from 'bun'

// Prints the test files that can tell which database they run on: those whose imports lead to a file that reads this
// variable. The others need to run only once.
const VARIABLE = 'TEST_DATABASE_URL'

const transpiler = new Bun.Transpiler({ loader: 'ts' })

const importsOf = (path: string, text: string) =>
  transpiler
    .scanImports(text)
    .filter((entry) => entry.path.startsWith('.'))
    .map((entry) => `${normalize(join(dirname(path), entry.path))}.ts`)
    .filter((imported) => imported.startsWith('tests/'))

async function readsVariable(path: string, seen: Set<string>): Promise<boolean> {
  if (seen.has(path)) return false
  seen.add(path)
  const text = await Bun.file(path).text()
  if (text.includes(VARIABLE)) return true
  for (const next of importsOf(path, text)) if (await readsVariable(next, seen)) return true
  return false
}

for (const path of (await Array.fromAsync(new Glob('tests/**/*.test.ts').scan('.'))).sort())
  if (await readsVariable(path, new Set())) console.log(`./${path}`)
