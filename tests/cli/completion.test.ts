import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { redlight } from '../support/command-line'

// Each shell completes for real, where it is installed.

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redlight-test-'))
  await mkdir(join(folder, 'home'))
  for (const shell of ['bash', 'zsh', 'fish'])
    await Bun.write(join(folder, shell), (await redlight(['completion', shell], {})).out)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function run(command: string[]): Promise<string> {
  const env = { PATH: process.env.PATH ?? '', HOME: join(folder, 'home'), TERM: 'dumb', LC_ALL: 'C.UTF-8' }
  const shell = Bun.spawn(command, { env, cwd: join(folder, 'home'), stdin: 'ignore', stderr: 'pipe' })
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
    `source "$1"; COMP_WORDS=(${line.endsWith(' ') ? `${line} ''` : line}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _redlight; printf '%s\\n' "\${COMPREPLY[@]}"`,
    'bash',
    join(folder, 'bash'),
  ],
  fish: (line) => ['fish', '--no-config', '-c', `source ${join(folder, 'fish')}; complete -C '${line}'`],
  // A terminal of its own, with Tab pressed twice.
  zsh: (line) => [
    'zsh',
    '-f',
    '-c',
    `zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1= ; LISTMAX=1000; stty cols 200; autoload -Uz compinit; compinit -u -D; source ${join(folder, 'zsh')}; setopt noautomenu autolist; zstyle ':completion:*' list-prompt ''; echo RE''ADY"
zpty -r shell begin '*READY*'
zpty -w -n shell '${line}'$'\\t\\t'
sleep 1
zpty -w -n shell $'\\x03'
zpty -w shell 'echo; echo DO''NE; exit'
zpty -r shell end '*DONE*'
print -r -- "$end"`,
  ],
}

const cases: [line: string, offers: string[], not: string[]][] = [
  ['redlight ', ['serve', 'users', 'completion', 'help'], ['--email', 'grant']],
  ['redlight users ', ['add', 'grant', 'remove'], ['serve', '--email']],
  ['redlight users add --', ['--email', '--name', '--username'], ['--title']],
  ['redlight movies list --', ['--title', '--page'], ['--email']],
  ['redlight completion ', ['bash', 'zsh', 'fish'], ['serve']],
  ['redlight help ', ['serve', 'users'], ['grant']],
]

for (const [shell, command] of Object.entries(ways)) {
  const isThere = Bun.which(shell) !== null
  if (!isThere) console.log(`${shell} is not installed: its completion is left out`)
  describe.skipIf(!isThere)(shell, () => {
    test.each(cases)('completes %p', async (line, offers, not) => {
      const output = await run(command(line))
      for (const word of offers) expect(output).toContain(word)
      for (const word of not) expect(output).not.toContain(word)
    })
  })
}
