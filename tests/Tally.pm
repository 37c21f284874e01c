# SPDX-License-Identifier: BSD-2-Clause
# Tally - what prove shows: a line for each program, details only of what failed, and at
# the end `N passed, N failed, N skipped`, which also goes to the file KILN_TALLY names.
# Tests are counted, not programs; a program that breaks off without a failed test counts
# as one failure.
package Tally;
use strict;
use warnings;
use base 'TAP::Formatter::Base';

my ($passed, $failed, $skipped, $width) = (0, 0, 0, 20);

sub short {
	my ($name) = @_;
	$name =~ s{^.*?(?=tests/(?!.*/tests/))}{};
	return $name;
}

sub prepare {
	my ($self, @tests) = @_;
	for (map { length short($_) } @tests) {
		$width = $_ if $_ > $width;
	}
}

sub open_test {
	my ($self, $name, $parser) = @_;
	return Tally::Session->new(
		{ name => $name, formatter => $self, parser => $parser, show_count => 0 });
}

sub summary {
	my ($self, $aggregate, $interrupted) = @_;
	$failed++ if $interrupted || !$aggregate->descriptions;
	my $line = "$passed passed, $failed failed, $skipped skipped\n";
	print "\n$line";
	return unless $ENV{KILN_TALLY};
	open my $file, '>', $ENV{KILN_TALLY} or die "$ENV{KILN_TALLY}: $!\n";
	print $file $line;
	close $file or die "$ENV{KILN_TALLY}: $!\n";
}

package Tally::Session;
use strict;
use warnings;
use base 'TAP::Formatter::Session';

sub result {
	my ($self, $result) = @_;
	# What a sweep counted is told also when all is well.
	push @{ $self->{counted} }, $1
	    if $result->raw =~ /^# (\d+ (?:of \d+ )?(?:kill points|injected errors|crash states|violations|mutants caught))$/;
	if ($result->is_test && !$result->is_ok) {
		push @{ $self->{details} }, $result->raw;
		$self->{in_failure} = 1;
	} elsif ($result->is_test) {
		$self->{in_failure} = 0;
		$self->{reasons}{ $result->explanation }++ if $result->has_skip;
	} elsif ($result->is_bailout || ($result->is_comment && $self->{in_failure})) {
		push @{ $self->{details} }, $result->raw;
	}
}

sub close_test {
	my ($self) = @_;
	my $parser = $self->parser;
	my $bad = $parser->failed;
	my $skips = $parser->skip_all ? 1 : $parser->skipped;
	my $good = $parser->passed - $parser->skipped;
	$bad++ if !$bad && $parser->has_problems;
	$passed += $good;
	$failed += $bad;
	$skipped += $skips;

	my @said;
	push @said, "$good passed" if $good;
	push @said, "$bad FAILED" if $bad;
	push @said, "$skips skipped" if $skips;
	my $why = join '; ', $parser->skip_all || (), sort keys %{ $self->{reasons} || {} };
	my $line = sprintf '%-*s  %s%s', $width, Tally::short($self->name),
	    join(', ', @said) || 'nothing ran', $why ? " ($why)" : '';
	print -t STDOUT && $bad ? "\e[1;31m$line\e[0m\n" : "$line\n";
	print "$_\n" for @{ $self->{counted} || [] };
	return unless $bad;

	print "    $_\n" for @{ $self->{details} || [] };
	print "    $_\n" for $parser->parse_errors;
	print '    exit status ' . $parser->exit . "\n" if $parser->exit && !$parser->wait;
	$self->show_log;
}

# The transcript has what TAP has no room for: standard error, a sanitizer's report.
sub show_log {
	my ($self) = @_;
	my $path = ($ENV{KILN_LOGS} || return) . '/' . Tally::short($self->name) . '.log';
	open my $file, '<', $path or return;
	my %shown = map { ("$_\n" => 1) } @{ $self->{details} || [] };
	my @lines = grep { !/^ok / && !$shown{$_} } <$file>;
	splice @lines, 0, @lines - 60 if @lines > 60;
	print "    | $_" for @lines;
	print "    (all of it: $path)\n";
}

1;
