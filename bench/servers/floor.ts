/** The floor: bare `node:http` that reads the body and does no work at all. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

// As long as what the others answer to the same request.
const body = Buffer.from(
  JSON.stringify({
    id: 12345,
    name: "Alice Johnson 000000000000",
    email: "alice000000000000@example.com",
    age: 30,
  }),
);
const headers = {
  "content-type": "application/json; charset=utf-8",
  location: "/api/users/12345",
  "content-length": body.length,
};

const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    response.writeHead(201, headers);
    response.end(body);
  });
});

server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ event: "server.listening", url: `http://127.0.0.1:${port}/api` }));
});
