# Raingauge alone; docker-compose.yml shows it beside a web stack.
FROM node:22-slim AS javascript
WORKDIR /javascript
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund

FROM python:3.11-slim AS build
WORKDIR /source
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY agent agent
COPY alerts alerts
COPY collectors collectors
COPY dashboard dashboard
COPY history history
COPY --from=javascript /javascript/node_modules/plotly.js-basic-dist-min/plotly-basic.min.js dashboard/static/vendor/
RUN python -m venv --without-pip /opt/raingauge \
    && pip --python /opt/raingauge/bin/python install --no-cache-dir --constraint requirements.lock .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --user-group --home-dir /var/lib/raingauge --shell /usr/sbin/nologin raingauge \
    && install --directory --mode 0700 --owner raingauge --group raingauge /var/lib/raingauge
COPY --from=build /opt/raingauge /opt/raingauge
ENV PATH=/opt/raingauge/bin:$PATH
USER raingauge
VOLUME /var/lib/raingauge
ENTRYPOINT ["raingauge"]
CMD ["run"]
