import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/app.css";
import "./styles/new-run.css";
import "./styles/run.css";
import "./styles/runs.css";

import "./app";
