using Native.LibUsb.Tests.Library;
using Native.LibUsb.AotTests;

// This program runs the scenarios of the test project. The scenarios are compiled ahead of time.
// usage: Native.LibUsb.AotTests [--share=NUMBER/COUNT] [PART-OF-A-NAME | -PART-OF-A-NAME]...
// Each PART-OF-A-NAME selects the tests whose names contain it. Without such an argument, the program selects all tests. Each -PART-OF-A-NAME excludes the
// tests whose names contain it.
if (FreshProcess.IsScenario(args, out int exitCode))
    return exitCode;

Console.WriteLine($"libusb {UsbLibrary.Version} from {UsbLibrary.LoadedPath}");
Console.WriteLine(OptionalFunction.DescribeMissing());
Share share = Share.Take(ref args);
var filter = new NameFilter(args);
var report = new Report(Console.Out);
foreach (TestCase test in TestCase.All())
{
    if (filter.Selects(test.Name) && share.HasNext())
        report.Run(test);
}

return report.Close();
