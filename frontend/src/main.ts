import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/app.css";
import "./styles/new-run.css";
import "./styles/run.css";
import "./styles/runs.css";
import "./styles/prices.css";
import "uplot/dist/uPlot.min.css";
import "./styles/result.css";

import "./app";
