/** How a run makes itself known outside its page: the tab's title and icon, and a notification when it ends. */

import * as format from "../format";
import { type RunState, hasEnded } from "./state";

const ICON_SIZE = 32;
const STEPS = 10;

let shownStep = -1;
let original = "";

/** "67 % · RSI · Candlestream" while it runs. */
export function titleOf(state: RunState, strategy: string): string {
  const progress = hasEnded(state) ? "" : `${Math.floor(state.progress.percent)}${format.THIN}% · `;
  return `${progress}${strategy} · Candlestream`;
}

const iconLink = (): HTMLLinkElement | null => document.querySelector('link[rel="icon"]');

/** A ring that fills in the tab's icon; drawn at most `STEPS` times a run. */
export function showProgressIcon(percent: number): void {
  const step = Math.floor((percent / 100) * STEPS);
  const link = iconLink();
  if (!link || step === shownStep) return;
  shownStep = step;
  original ||= link.href;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = ICON_SIZE;
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const middle = ICON_SIZE / 2;
  pen.lineWidth = 6;
  for (const [colour, share] of [["#8b95a7", 1], ["#4c8dff", step / STEPS]] as const) {
    pen.strokeStyle = colour;
    pen.beginPath();
    pen.arc(middle, middle, middle - 4, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * share);
    pen.stroke();
  }
  link.type = "image/png";
  link.href = canvas.toDataURL();
}

export function restoreIcon(): void {
  const link = iconLink();
  if (link && original) {
    link.type = "image/svg+xml";
    link.href = original;
  }
  shownStep = -1;
}

const canNotify = (): boolean => "Notification" in window && isSecureContext;

/** Asked once and kept: reading the permission waits for another process. */
let permission: NotificationPermission = canNotify() ? Notification.permission : "denied";

/** Whether the user has neither allowed nor refused notifications yet. */
export const mayAsk = (): boolean => permission === "default";

export async function askToNotify(): Promise<void> {
  permission = await Notification.requestPermission();
}

/** Tell the user something, wherever they look. */
export function notify(title: string, body: string, tag: string): void {
  if (permission !== "granted") return;
  const notification = new Notification(title, { body, tag });
  notification.onclick = () => window.focus();
}

/** Tell the user who looks elsewhere that the run ended. */
export function notifyEnd(state: RunState, strategy: string): void {
  if (!document.hidden) return;
  const { summary, status } = state;
  const body = summary
    ? `${format.count(summary.result_count)} results, median return ${format.signedPercent(summary.median_return)}`
    : (state.error ?? "");
  notify(`${strategy}: ${status}`, body, state.run.id);
}
