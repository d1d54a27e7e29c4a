from threading import Event

from driver.cluster import Scale
from driver.timeline import Movement, Sample, Watch, movement_of, render


def timeline(*replicas: int, cpu: int | None = 50) -> list[Sample]:
    return [Sample(15.0 * index, cpu, count, count) for index, count in enumerate(replicas)]


def test_the_form_is_the_report_s():
    assert render([Sample(0, 12, 2, 2), Sample(30.4, None, 6, 4)]) == (
        "Time: T+0s → CPU: 12% → Replicas: 2 (2 ready)\nTime: T+30s → CPU: – → Replicas: 6 (4 ready)\n"
    )


def test_ups_and_downs_are_counted():
    assert movement_of(timeline(2, 2, 6, 10, 10, 9, 8, 2)) == Movement(initial=2, peak=10, final=2, ups=2, downs=3, mean_cpu_percent=50)


def test_replicas_that_never_moved():
    assert movement_of(timeline(2, 2, cpu=None)) == Movement(initial=2, peak=2, final=2, ups=0, downs=0, mean_cpu_percent=None)


def test_the_last_sample_is_of_the_end():
    class Shrinking:
        """Has one replica less at each look."""

        def __init__(self):
            self.replicas = 4

        def scale_of(self, deployment):
            self.replicas -= 1
            return Scale(self.replicas, self.replicas, self.replicas)

        def autoscaler_of(self, deployment):
            return None

    seen = Event()
    watch = Watch(Shrinking(), "inference", 60, lambda _: seen.set())
    seen.wait()
    assert [sample.replicas for sample in watch.stop()] == [3, 2]
