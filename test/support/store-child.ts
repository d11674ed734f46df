// A process that opens a store and plays one role with it. Argument: JSON with `place`, `role` and the role's input.
import { accessRole } from './store-access.ts'
import { accountTasksRole } from './store-account-tasks.ts'
import { auditRole } from './store-audit.ts'
import { documentsRole } from './store-documents.ts'
import { limitedRole } from './store-limited.ts'
import { obeyRole } from './store-obey.ts'
import { openPlace, type StorePlace } from './store-place.ts'
import { ratesRole } from './store-rates.ts'
import { beginRole, hold, moveRole, type RoleContext, readRole, workRole } from './store-roles.ts'
import { uploadsRole } from './store-uploads.ts'
import { writesRole } from './store-writes.ts'
import { tell } from './tell.ts'

const ROLES: Record<string, (context: RoleContext, input: never) => Promise<void>> = {
  hold,
  begin: beginRole,
  read: readRole,
  move: moveRole,
  work: workRole,
  writes: writesRole,
  obey: obeyRole,
  limited: limitedRole,
  documents: documentsRole,
  access: accessRole,
  'account-tasks': accountTasksRole,
  audit: auditRole,
  rates: ratesRole,
  uploads: uploadsRole,
}

const input = JSON.parse(process.argv[2] ?? '') as { place: StorePlace; role: string }
const role = ROLES[input.role]
if (!role) throw new Error(`there is no role ${input.role}`)
const ending = new AbortController()
process.stdin.on('end', () => ending.abort()).resume()
const store = await openPlace(input.place)
await role({ store, tell, signal: ending.signal }, input as never)
await store.close()
process.stdin.destroy()
