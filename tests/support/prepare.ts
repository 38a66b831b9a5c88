// The embedded database starts from a packed cluster that isn't in the repository: made here once, where `bun run test`
// hasn't made it.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { $ } from 'bun'

if (!existsSync(join(import.meta.dir, '../../src/embedded/cluster.tar.zst'))) await $`bun run pack`.quiet()
