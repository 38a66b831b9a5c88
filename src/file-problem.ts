import { OperatorError } from './errors'

const FIX = new Map([
  ['ENOENT', 'no such file or folder: correct the path, or create its folder'],
  ['EACCES', 'permission denied: allow this user access, or use another folder'],
  ['EPERM', 'permission denied: allow this user access, or use another folder'],
  ['EROFS', 'the file system is read-only: use another folder'],
  ['ENOSPC', 'the disk is full: free some space, or use another folder'],
  ['EDQUOT', 'the quota is used up: free some space, or use another folder'],
  ['EISDIR', 'that is a folder: name a file'],
  ['ENOTDIR', 'a part of the path is not a folder: correct it'],
])

/** A file system error in words; other errors are returned unchanged. */
export function aboutFile(doing: string, path: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const fix = FIX.get(code) ?? (/^E[A-Z]+$/.test(code) ? 'check the disk' : undefined)
  return fix === undefined ? error : new OperatorError(`can't ${doing} ${path} (${code}): ${fix}`)
}
