// The logins of a data folder as version 0.1 wrote them: files of forms of their own in `accounts/`.
import { randomBytes, scryptSync } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const COST = { N: 16_384, r: 8, p: 5 } as const
const MODE = { mode: 0o600 }

export interface EarlyFolder {
  passwords: Record<'operator' | 'viewer', string>
  key: Buffer
  /** A session that was ended: the name of its file. */
  ended: string
}

/** Makes `dir` with all that the dashboard of that version left in it. `endsAt`: of the ended session, milliseconds. */
export const makeEarlyFolder = (dir: string, endsAt: number): EarlyFolder => {
  const accounts = path.join(dir, 'accounts')
  mkdirSync(path.join(accounts, 'ended'), { recursive: true, mode: 0o700 })
  const passwords = { operator: 'abcde-fghjk-mnpqr-stuvw', viewer: 'look but do not touch' }
  for (const [name, password] of Object.entries(passwords)) {
    const salt = randomBytes(16)
    const hash = scryptSync(password, salt, 32, { ...COST, maxmem: 256 * COST.N * COST.r })
    const file = {
      version: 1,
      name,
      scrypt: COST,
      salt: salt.toString('base64url'),
      hash: hash.toString('base64url'),
    }
    writeFileSync(path.join(accounts, `${name}.json`), `${JSON.stringify(file, null, 2)}\n`, MODE)
  }
  const key = randomBytes(32)
  writeFileSync(path.join(accounts, 'session.key'), key, MODE)
  const mark = {
    version: 1,
    salt: randomBytes(16).toString('base64url'),
    hash: randomBytes(32).toString('base64url'),
  }
  writeFileSync(path.join(accounts, 'session.password'), `${JSON.stringify(mark)}\n`, MODE)
  const ended = `v1.${endsAt.toString(36)}.${randomBytes(16).toString('base64url')}`
  writeFileSync(path.join(accounts, 'ended', ended), '', MODE)
  return { passwords, key, ended }
}
