import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { redlight } from '../support/command-line'
import { executable } from '../support/executable'

// Each shell completes for real, where it is installed.

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redlight-test-'))
  const program = `#!/bin/sh\nexec '${executable}' "$@"\n`
  for (const place of ['bin', 'home']) {
    await mkdir(join(folder, place))
    await writeFile(join(folder, place, 'redlight'), program, { mode: 0o755 })
  }
  await Bun.write(join(folder, 'home/one.backup'), '')
  for (const shell of ['bash', 'zsh', 'fish'])
    await Bun.write(join(folder, shell), (await redlight(['completion', shell], {})).out)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function run(command: string[], path: string): Promise<string> {
  const home = join(folder, 'home')
  const env = { PATH: path, HOME: home, TERM: 'dumb', LC_ALL: 'C.UTF-8' }
  const shell = Bun.spawn(command, { env, cwd: home, stdin: 'ignore', stderr: 'pipe' })
  const [out, error] = await Promise.all([
    new Response(shell.stdout).text(),
    new Response(shell.stderr).text(),
    shell.exited,
  ])
  return error + out
}

const ways: Record<string, (line: string) => string[]> = {
  bash: (line) => [
    'bash',
    '--norc',
    '-c',
    `source "$1"; source "$1"; COMP_LINE=$2 COMP_POINT=\${#2}; _redlight
printf '%s\\n' "\${COMPREPLY[@]-}"; [[ \${COMPREPLY-} ]] || complete -p redlight`,
    'bash',
    join(folder, 'bash'),
    line,
  ],
  fish: (line) => ['fish', '--no-config', '-c', `source ${join(folder, 'fish')}; complete -C '${line}'`],
  // In a terminal: Tab is pressed twice, then a key that marks the end.
  zsh: (line) => [
    'zsh',
    '-f',
    '-c',
    `zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1= ; LISTMAX=1000; stty cols 200; autoload -Uz compinit; compinit -u -D; source ${join(folder, 'zsh')}; setopt noautomenu autolist; zstyle ':completion:*' list-prompt ''; finished() { print DO''NE }; zle -N finished; bindkey '^Xd' finished; echo RE''ADY"
zpty -r shell begin '*READY*'
zpty -w -n shell '${line}'$'\\t\\t\\x18d'
zpty -r shell end '*DONE*'
print -r -- "$end"`,
  ],
}

const cases: [line: string, offers: string[], not: string[]][] = [
  ['redlight ', ['serve', 'users', 'completion', 'help'], ['--email', 'grant', 'complete\t']],
  ['redlight users ', ['add', 'grant', 'remove'], ['serve', '--email']],
  ['redlight users add --', ['--email', '--name', '--username'], ['--title']],
  ['redlight movies list --', ['--title', '--page'], ['--email']],
  ['redlight completion ', ['bash', 'zsh', 'fish'], ['serve']],
  ['redlight help ', ['serve', 'users'], ['grant']],
  ['redlight users grant alice ', ['movies:read', 'movies:write'], ['one.backup']],
]

for (const [shell, command] of Object.entries(ways)) {
  const isThere = Bun.which(shell) !== null
  if (!isThere) console.log(`${shell} is not installed: its completion is left out`)
  describe.skipIf(!isThere)(shell, () => {
    const usual = process.env.PATH ?? ''
    const complete = (line: string, path = `${join(folder, 'bin')}:${usual}`) => run(command(line), path)

    test.each(cases)('completes %p', async (line, offers, not) => {
      const output = await complete(line)
      for (const word of offers) expect(output).toContain(word)
      for (const word of not) expect(output).not.toContain(word)
    })

    test('completes the name of a backup', async () => {
      const output = await complete('redlight restore --replace o')
      expect(output).toContain(shell === 'bash' ? 'complete -o default' : 'one.backup')
    })

    test('asks the program named on the line, which need not be on the PATH', async () => {
      expect(await complete('./redlight movies ', usual)).toContain('assign')
    })

    test('does not evaluate the typed text', async () => {
      await complete('redlight users add $(touch was-run) --')
      expect(existsSync(join(folder, 'home/was-run'))).toBe(false)
    })
  })
}

test('bash completes text after a colon', async () => {
  const [path, [command]] = [`${join(folder, 'bin')}:${process.env.PATH}`, [ways.bash]]
  expect(await run(command?.('redlight users grant alice movies:w') ?? [], path)).toBe('write\n')
})

test('candidates need neither the settings nor the database', async () => {
  const { code, out, error } = await redlight(['complete', '--', 'users', 'g'], {
    PORT: 'x',
    DATA_DIR: '/dev/null/x',
  })
  expect({ code, out, error }).toEqual({ code: 0, out: 'grant\tGrant permissions\n:4\n', error: '' })
})
