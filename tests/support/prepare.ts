// The embedded database starts from a packed cluster that isn't in the repository. Makes it unless `bun run test`
// already has.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { $ } from 'bun'

if (!existsSync(join(import.meta.dir, '../../src/embedded/cluster.tar.zst'))) await $`bun run pack`.quiet()
