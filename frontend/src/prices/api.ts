/** What the prices page asks of the API. */

import { request } from "../api/client";
import type { Alert, AlertRequest, Point, PricesMessage } from "./types";

export const getPrices = (source: string | null) =>
  request<PricesMessage>("GET", `/api/prices/${source ? `?${new URLSearchParams({ source })}` : ""}`);

interface History {
  symbol: string;
  points: Point[];
}

/** The last points of symbols, oldest first. */
export async function getHistories(symbols: readonly string[]): Promise<Map<string, Point[]>> {
  if (symbols.length === 0) return new Map();
  const query = new URLSearchParams({ symbols: symbols.join(",") });
  const histories = await request<History[]>("GET", `/api/prices/history/?${query}`);
  return new Map(histories.map(({ symbol, points }) => [symbol, points]));
}

export const getAlerts = () => request<Alert[]>("GET", "/api/prices/alerts/");

export const addAlert = (wanted: AlertRequest) => request<Alert>("POST", "/api/prices/alerts/", wanted);

export const rearmAlert = ({ id }: Alert) => request<Alert>("PATCH", `/api/prices/alerts/${id}/`, { armed: true });

export const deleteAlert = ({ id }: Alert) => request<void>("DELETE", `/api/prices/alerts/${id}/`);
