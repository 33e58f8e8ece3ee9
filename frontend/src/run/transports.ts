/** Three ways to hear of a run's events. Each delivers from the event after `after` on, and says once why it ended. */

import { ApiError, getEvents } from "../api/client";
import { refusedStatus, socketAddress } from "../api/reconnection";
import type { Run, RunEvent } from "../api/types";

/** `ended`: the run's last event came. `refused`: asking again would not help. `lost`: try again. */
export type End = { kind: "ended" } | { kind: "refused"; status: number } | { kind: "lost"; wasOpen: boolean };

export interface Listener {
  onOpen(): void;
  onEvent(event: RunEvent): void;
  onEnd(end: End): void;
}

/** Starts to listen; the function it returns stops, after which nothing is called any more. */
export type Transport = (run: Run, after: number, listener: Listener) => () => void;

const CLOSED_NORMALLY = 1000;

export const webSocket: Transport = (run, after, listener) => {
  const socket = new WebSocket(socketAddress(`${run.links.websocket}?after=${after}`));
  let wasOpen = false;
  socket.onopen = () => {
    wasOpen = true;
    listener.onOpen();
  };
  socket.onmessage = (message) => listener.onEvent(JSON.parse(message.data as string) as RunEvent);
  socket.onclose = ({ code }) => {
    const status = refusedStatus(code);
    if (code === CLOSED_NORMALLY) listener.onEnd({ kind: "ended" });
    else if (status !== null) listener.onEnd({ kind: "refused", status });
    else listener.onEnd({ kind: "lost", wasOpen });
  };
  return () => {
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  };
};

const EVENT_TYPES = ["message", "start", "result", "failure", "progress", "complete", "error"];

export const serverSentEvents: Transport = (run, after, listener) => {
  const source = new EventSource(`${run.links.stream}?after=${after}`);
  let wasOpen = false;
  const close = () => source.close();
  source.onopen = () => {
    wasOpen = true;
    listener.onOpen();
  };
  const receive = (message: Event) => {
    // A broken connection and a run's `error` share the name "error"; only the run's carries data.
    if (!(message instanceof MessageEvent)) return lost();
    const event = JSON.parse(message.data as string) as RunEvent;
    listener.onEvent(event);
    if (event.type === "complete" || event.type === "error") {
      close();
      listener.onEnd({ kind: "ended" });
    }
  };
  // The browser would reconnect on its own; we do it, from the event that was really processed.
  const lost = () => {
    close();
    listener.onEnd({ kind: "lost", wasOpen });
  };
  for (const type of EVENT_TYPES) source.addEventListener(type, receive);
  return () => {
    for (const type of EVENT_TYPES) source.removeEventListener(type, receive);
    close();
  };
};

export const POLL_MS = 1000;

export const polling: Transport = (run, after, listener) => {
  let stopped = false;
  let wasOpen = false;
  let timer = 0;
  const poll = async () => {
    try {
      const page = await getEvents(run, after);
      if (stopped) return;
      if (!wasOpen) listener.onOpen();
      wasOpen = true;
      for (const event of page.events) listener.onEvent(event);
      after = page.events.at(-1)?.seq ?? after;
      if (page.ended && after >= page.last_seq) listener.onEnd({ kind: "ended" });
      else timer = window.setTimeout(poll, page.events.length > 0 ? 0 : POLL_MS);
    } catch (error) {
      if (stopped) return;
      const status = error instanceof ApiError ? error.status : 0;
      const refused = status >= 400 && status < 500;
      listener.onEnd(refused ? { kind: "refused", status } : { kind: "lost", wasOpen });
    }
  };
  void poll();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
};
