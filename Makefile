# make demo and make test are the two to begin with; each installs what it needs on Debian and Ubuntu.

LAB    := cli/src/lab
# Images of guests: built once, kept until their recipe changes, also by clean.
GUESTS := cli/target/lab
MVN    ?= mvn

# Maven runs on any Java from 17 on; the build looks for its own JDK, also in this variable.
WITH_JDK = jdk=$$($(LAB)/find-jdk) && JAVA25_HOME="$$jdk"

.PHONY: help build unit test demo perf fuzz soak clean distclean

help:
	@echo 'make demo   back up a running machine, then boot two of its moments from the backup'
	@echo 'make test   all tests, with real QEMU machines and NBD clients'
	@echo 'make unit   the quick tests alone'
	@echo 'make build  the program: cli/target/afterimage/bin/afterimage'
	@echo 'make perf   measurements against local files and other programs'
	@echo 'make fuzz   almost lawful NBD clients and servers, almost whole repositories, for FUZZ_MINUTES (5)'
	@echo 'make soak   a machine to which everything happens, and whose points are compared, for MINUTES (30)'
	@echo 'make clean  remove what was built, but for the guests; make distclean removes them, too'

build:
	@$(LAB)/packages build
	@$(WITH_JDK) $(MVN) -q -DskipTests package

unit:
	@$(LAB)/packages build
	@$(WITH_JDK) $(MVN) test

# All modules run even when one fails, old reports must not be counted, and the sum is printed in any case.
test:
	@$(LAB)/packages test
	@$(LAB)/tiny-guest $(GUESTS)
	@$(LAB)/debian-guest $(GUESTS)
	@rm -rf */target/surefire-reports */target/failsafe-reports
	@$(WITH_JDK) $(MVN) --fail-at-end verify; status=$$?; $(LAB)/count-tests . && exit $$status

demo:
	@$(LAB)/packages demo
	@$(MAKE) --no-print-directory build
	@cli/src/demo/demo

perf:
	@$(LAB)/packages perf
	@$(MAKE) --no-print-directory build
	@perf/run

# A third of the time each for talks to our server, servers of our client, and repositories. New seeds in each run, where the tests of a change
# always begin with the same ones, so that they judge the change; a failure names its own.
fuzz:
	@$(LAB)/packages build
	@$(WITH_JDK) $(MVN) -q -pl nbd-server,backup-engine -Dtest='*FuzzTest' -Dafterimage.fuzz.seconds=$$(($${FUZZ_MINUTES:-5} * 20)) -Dafterimage.fuzz.seed=$$(date +%s%N) test
	@echo "Nothing found in $${FUZZ_MINUTES:-5} minutes."

# A quarter of the time with the QEMU of this host, with an 8, a 9 and a newer one, which also push; one life after the other. A failure names its seed.
soak:
	@$(LAB)/packages test
	@$(LAB)/tiny-guest $(GUESTS)
	@$(WITH_JDK) $(MVN) -q -pl cli -am -Dtest=None -Dsurefire.failIfNoSpecifiedTests=false -Dit.test=RandomLifeIT -Dfailsafe.failIfNoSpecifiedTests=false \
	  -Dafterimage.fuzz.seconds=$$(($${MINUTES:-30} * 15)) -Dafterimage.seed=$$(date +%s%N) verify
	@echo "All points were exact in $${MINUTES:-30} minutes."

clean:
	@find */target -mindepth 1 -maxdepth 1 ! -path $(GUESTS) -exec rm -rf {} +

distclean:
	@rm -rf */target
