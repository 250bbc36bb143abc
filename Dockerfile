# The image of every Airflow service in docker-compose.yaml.
FROM apache/airflow:3.3.2-python3.12

COPY requirements.txt /opt/airflow/
# With Airflow's own version named, pip refuses to change it.
RUN pip install --no-cache-dir "apache-airflow==${AIRFLOW_VERSION}" --requirement /opt/airflow/requirements.txt

COPY dags /opt/airflow/dags
COPY plugins /opt/airflow/plugins
COPY include /opt/airflow/include
COPY compose/migrate.sh /opt/airflow/compose/
# For `python -m hoa_ops`; Airflow finds plugins/ by itself.
ENV PYTHONPATH=/opt/airflow/plugins
