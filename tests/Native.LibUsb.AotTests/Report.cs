using System.Diagnostics;
using System.Globalization;
using Native.LibUsb.Tests;
using Xunit.Sdk;

namespace Native.LibUsb.AotTests;

/// <summary>Runs tests and reports the result of each; the last line has the totals.</summary>
internal sealed class Report(TextWriter output)
{
    /// <summary>Specifies the prefix of the exception message with which xunit skips a running test; the constant of xunit is internal.</summary>
    private const string SkipToken = "$XunitDynamicSkip$";

    private int _passed, _failed, _skipped;

    public void Run(TestCase test)
    {
        if (test.Skip is { } reason)
        {
            Skipped(test, reason);
            return;
        }

        Watchdog.RunningTest = test.Name;
        long start = Stopwatch.GetTimestamp();
        try
        {
            test.Run();
            _passed++;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"passed  {test.Name} in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.000} s"));
        }
        catch (SkipException skip)
        {
            Skipped(test, skip.Message[SkipToken.Length..]);
        }
        catch (Exception exception)
        {
            _failed++;
            output.WriteLine($"FAILED  {test.Name}: {exception}");
        }

        output.Flush();
    }

    private void Skipped(TestCase test, string reason)
    {
        _skipped++;
        output.WriteLine($"skipped {test.Name}: {reason}");
    }

    /// <summary>Writes the last line.</summary>
    /// <returns>The exit status: 0 when tests ran and none failed.</returns>
    public int Close()
    {
        output.WriteLine($"{_passed} passed, {_failed} failed, {_skipped} skipped");
        return _failed == 0 && _passed > 0 ? 0 : 1;
    }
}
