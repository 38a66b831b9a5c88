import { afterAll, expect, test } from 'bun:test'
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { $ } from 'bun'
import { withFaults } from '../support/faults'

// The first change of docs/CONTRIBUTING.md, carried out as written on a copy of the repository.

const copy = await mkdtemp(join(tmpdir(), 'first-change-'))
afterAll(() => rm(copy, { recursive: true }))

/** The code in the page: the column, then the model's two lines. */
const [column = '', rule = '', shown = ''] = [
  ...(await Bun.file('docs/CONTRIBUTING.md').text()).matchAll(/`(country: [^`]+,)`/g),
].map(([, code]) => code)

async function addBehind(line: RegExp, added: string, path: string) {
  const text = await Bun.file(join(copy, path)).text()
  const changed = text.replace(line, (found) => `${found}\n${added}`)
  expect(changed).not.toBe(text)
  await Bun.write(join(copy, path), changed)
}

const compiled = async () => {
  const { exitCode, stdout } = await $`node_modules/.bin/tsc --noEmit`.cwd(copy).nothrow().quiet()
  return {
    exitCode,
    problems: stdout
      .toString()
      .split('\n')
      .filter((line) => line.includes(': error ')),
  }
}

test.skipIf(!withFaults)(
  'the compiler names the places that lack a new column, and the lines of the page fix them',
  async () => {
    for (const path of (await $`git ls-files`.text()).trim().split('\n'))
      await cp(path, join(copy, path), { recursive: true })
    await symlink(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'))

    await addBehind(/^ +synopsis: text\(\),$/m, column, 'src/db/schema.ts')
    const { problems } = await compiled()
    expect(problems).toHaveLength(2)
    for (const problem of problems) expect(problem).toMatch(/^src\/movies\/model\.ts.+'country' is missing/)

    await addBehind(/^ +synopsis: Type\.Optional.+$/m, rule, 'src/movies/model.ts')
    await addBehind(/^ +synopsis: movie\.synopsis.+$/m, shown, 'src/movies/model.ts')
    expect(await compiled()).toEqual({ exitCode: 0, problems: [] })
  },
  300_000,
)
