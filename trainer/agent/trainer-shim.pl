# Owns one trainer: starts it, waits for it, and writes down how it ended, also when no agent is there to see it.
#
#   perl trainer-shim.pl FOLDER SLOT PROGRAM [ARGUMENT...]      with descriptor 3 open for one line about the start
#
# FOLDER/trainer.json       who the trainer and this process are; written before the trainer's first instruction
# FOLDER/trainer-exit.json  its exact exit code or signal, and whether the kernel ran out of memory; written at its end
#
# The trainer leads a session of its own. What it leaves behind, in its group or daemonised, ends with it. Uses only what is in
# perl-base, and stays below 10 MB.
use strict;
use warnings;
use Fcntl qw(:DEFAULT :flock);
use IO::Handle;
use POSIX ();

my ($dir, $slot, @command) = @ARGV;
my $NOTE = "$dir/trainer.json";
my $EXIT = "$dir/trainer-exit.json";
# prctl's number by machine, and its option PR_SET_CHILD_SUBREAPER.
my %PRCTL = (x86_64 => 157, aarch64 => 167, riscv64 => 167, ppc64le => 171, s390x => 172);
my $SET_CHILD_SUBREAPER = 36;
# How long before the trainer's end a process that the kernel killed for lack of memory still explains it: a large process
# takes seconds to go.
my $MEMORY_WINDOW_S = 10;
my $SWEEP_S = 5;
my @IGNORED = qw(TERM HUP INT QUIT USR1 USR2 PIPE);

# One who signals a whole session or the terminal's group means the trainer, which hears it itself.
$SIG{$_} = 'IGNORE' for @IGNORED;
open(my $agent, '>&=', 3) or die "descriptor 3: $!";
fcntl($agent, F_SETFD, FD_CLOEXEC);
$agent->autoflush(1);

sub refuse {
  my ($doing) = @_;
  my ($number, $text) = ($! + 0, "$!");
  print $agent "failed $number $doing: $text\n";
  exit 1;
}

# A second trainer in one folder would mix its records with the first one's.
open(my $lock, '>>', "$dir/trainer.lock") or refuse('lock');
if (!flock($lock, LOCK_EX | LOCK_NB) && $!{EWOULDBLOCK}) {
  print $agent "busy\n";
  exit 1;
}

my $machine = (POSIX::uname())[4];
syscall($PRCTL{$machine}, $SET_CHILD_SUBREAPER, 1, 0, 0, 0) if exists $PRCTL{$machine};
# The room for the last note is taken now: a disk that the training filled must not swallow how it ended.
write_whole("$EXIT.tmp", ' ' x 256) or refuse('reserve room for the exit note');

pipe(my $bell, my $ring) or refuse('pipe');
$_->blocking(0) for $bell, $ring;
$SIG{CHLD} = sub { syswrite($ring, 'x') };
pipe(my $may_go, my $go) or refuse('pipe');
pipe(my $trouble, my $complain) or refuse('pipe');
my $trainer = fork() // refuse('fork');
be_trainer() if $trainer == 0;
close $may_go;
close $complain;

my $note = sprintf('{"process":%s,"shim":%s,"slot":%d}', identity($trainer), identity($$), $slot);
if (!write_whole("$NOTE.tmp", $note) || !rename("$NOTE.tmp", $NOTE)) {
  refuse('write trainer.json');    # and the child, never told to go, ends
}
syswrite($go, 'g');
close $go;
my $errno = do { local $/; <$trouble> };
if (defined $errno && $errno ne '') {
  write_exit('"exitCode":127,"signal":null,"memory":null');
  $! = $errno;
  refuse("run $command[0]");
}
print $agent "started\n";
close $agent;

my @counts;
my $status = wait_for_trainer();
my ($code, $signal) = ($status & 127) ? ('null', $status & 127) : ($status >> 8, 'null');
my $memory = $signal eq '9' ? judge_memory() : 'null';
write_exit(qq("exitCode":$code,"signal":$signal,"memory":$memory));
sweep();

sub be_trainer {
  close $go;
  close $trouble;
  POSIX::setsid();
  # Without a word the shim is gone, or could not write its note: nobody would know of this process.
  POSIX::_exit(1) if !sysread($may_go, my $word, 1);
  $SIG{$_} = 'DEFAULT' for @IGNORED, 'CHLD';
  $ENV{MEALTABLE_ATTEMPT} = $dir;
  no warnings 'exec';
  exec { $command[0] } @command;
  syswrite($complain, $! + 0);
  POSIX::_exit(127);
}

# Reaps whatever ends, since orphans of the trainer are children of this process, until the trainer has. Its wait status.
sub wait_for_trainer {
  for (;;) {
    push @counts, [time, count_memory_kills()];
    shift @counts while @counts > 1 && $counts[1][0] <= time - $MEMORY_WINDOW_S;
    while ((my $pid = waitpid(-1, POSIX::WNOHANG)) > 0) {
      return $? if $pid == $trainer;
    }
    my $wanted = '';
    vec($wanted, fileno($bell), 1) = 1;
    sysread($bell, my $rung, 64) if select($wanted, undef, undef, 1) > 0;
  }
}

# Processes killed for lack of memory: in this control group, and on the machine. Undefined where the kernel does not say.
sub count_memory_kills {
  return (read_count(memory_events()), read_count('/proc/vmstat'));
}

sub memory_events {
  our $found;
  return $found if defined $found;
  my $groups = read_file('/proc/self/cgroup') // '';
  my ($v2) = $groups =~ /^0::(.*)$/m;
  my ($v1) = $groups =~ /^\d+:(?:[^:\n]*,)?memory(?:,[^:\n]*)?:(.*)$/m;
  my @places;
  push @places, map { ("/sys/fs/cgroup$_/memory.events.local", "/sys/fs/cgroup$_/memory.events") } $v2, '' if defined $v2;
  push @places, map { "/sys/fs/cgroup/memory$_/memory.oom_control" } $v1, '' if defined $v1;
  ($found) = grep { defined read_count($_) } @places;
  return $found //= '';
}

sub read_count {
  my ($path) = @_;
  my ($count) = (read_file($path) // '') =~ /^oom_kill (\d+)$/m;
  return $count;
}

# "group": the kernel killed in this control group just now, and nothing else here was killed. "host": somewhere on the machine.
sub judge_memory {
  my ($group, $host) = count_memory_kills();
  my (undef, $group_before, $host_before) = @{ $counts[0] };
  return '"group"' if defined $group && defined $group_before && $group > $group_before;
  return '"host"' if defined $host && defined $host_before && $host > $host_before;
  return defined $group || defined $host ? '"none"' : 'null';
}

# Ends what is left of the trainer's group, and what has come to this process for want of a parent.
sub sweep {
  kill 'KILL', -$trainer;
  for (my $end = time + $SWEEP_S; time <= $end; select(undef, undef, undef, 0.01)) {
    my $pid;
    1 while ($pid = waitpid(-1, POSIX::WNOHANG)) > 0;
    return if $pid < 0;
    kill 'KILL', grep { (stat_fields($_))[1] == $$ } map { m{/(\d+)$} } glob('/proc/[0-9]*');
  }
}

sub write_exit {
  my ($fields) = @_;
  for (1 .. 60) {
    return if write_whole("$EXIT.tmp", "{$fields}") && rename("$EXIT.tmp", $EXIT);
    return if !-d $dir;
    sleep 1;
  }
}

# Over what is there, without giving its room back; on the disk when it returns true.
sub write_whole {
  my ($path, $text) = @_;
  sysopen(my $file, $path, O_WRONLY | O_CREAT, 0644) or return 0;
  return (syswrite($file, $text . ' ' x (256 - length $text)) // 0) >= length($text) && $file->sync && close($file);
}

# As the agent writes it: the boot and the clock tick at which a process began tell it from a later one of the same number.
sub identity {
  my ($pid) = @_;
  my ($boot) = (read_file('/proc/sys/kernel/random/boot_id') // '') =~ /(\S+)/;
  return sprintf('{"pid":%d,"startedAt":"%s:%s"}', $pid, $boot // '', (stat_fields($pid))[19]);
}

# Fields after the program's name, which may hold anything: state, parent, ...
sub stat_fields {
  my ($pid) = @_;
  my ($rest) = (read_file("/proc/$pid/stat") // '') =~ /.*\) (.*)/s;
  return defined $rest ? split(/ /, $rest) : ('X', 0, (0) x 18);
}

sub read_file {
  my ($path) = @_;
  return undef if $path eq '';
  open(my $file, '<', $path) or return undef;
  local $/;
  return scalar <$file>;
}
