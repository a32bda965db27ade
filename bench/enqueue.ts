import { Agent, request } from "node:http";

const CONNECTIONS = 8;
const JOBS_IN_POST = 100;

/** Has jobs enqueued through the API, in POSTs of 100 from 8 connections. */
export async function enqueueJobs(api: URL, count: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let left = count;
  const postUntilNoneIsLeft = async () => {
    while (left > 0) {
      const jobs = Math.min(left, JOBS_IN_POST);
      left -= jobs;
      await post(agent, `${api}/fill`, jobs);
    }
  };
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, postUntilNoneIsLeft));
  } finally {
    agent.destroy();
  }
}

function post(agent: Agent, url: string, count: number): Promise<void> {
  const body = JSON.stringify({ count });
  const headers = { "content-type": "application/json", "content-length": body.length };
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, method: "POST", headers }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("error", reject);
      answer.on("end", () => {
        if (answer.statusCode === 204) resolve();
        else reject(new Error(`Expected 204, got ${answer.statusCode}:\n${text}`));
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
