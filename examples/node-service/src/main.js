import { createServer } from 'node:http'
import ms from 'ms'

const port = Number(process.env.PORT ?? 8000)

createServer((request, response) => {
  response.setHeader('content-type', 'application/json')
  if (request.url === '/health') {
    response.end(JSON.stringify({ status: 'ok', up: ms(Math.round(process.uptime()) * 1000) }))
    return
  }
  response.statusCode = 404
  response.end(JSON.stringify({ error: 'there is nothing here' }))
}).listen(port, () => console.log(`listening on ${port}`))
