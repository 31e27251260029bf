using System.Diagnostics;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>
/// Tests the device discovery of a fully static program. The libusb in this program does not use udev. The root folder of the program contains only the
/// program, sysfs and the device nodes. The folder contains no loader, no libraries and no udev.
/// </summary>
public sealed class StaticProgramTests : MachineTest
{
    private const string Tablet = "0627:0001";

    [ProgramFact(ProgramFactAttribute.StaticProgram)]
    public void A_fully_static_program_lists_the_devices()
    {
        string before = Run();
        Assert.DoesNotContain(Tablet, before, StringComparison.Ordinal);
        QemuDevice tablet = Plug("usb-tablet", "1");
        string[] lines = Run().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains("static True", lines);
        Assert.Contains("newer True", lines);
        Assert.Contains($"device {Tablet}", lines);
        using (UsbDeviceList devices = Context.GetDevices())
            Assert.Contains($"devices {devices.Count}", lines);
        tablet.Unplug();
        tablet.WaitForDeparture();
        Assert.Equal(before, Run());
    }

    [ProgramFact(ProgramFactAttribute.StaticProgram)]
    public void A_fully_static_program_is_notified_of_an_arriving_device()
    {
        using Process program = Start("wait");
        Assert.Equal("waiting", program.StandardOutput.ReadLine());
        QemuDevice tablet = Plug("usb-tablet", "1");
        Assert.Equal($"arrived {Tablet}", program.StandardOutput.ReadLine());
        tablet.Unplug();
        Assert.Equal($"left {Tablet}", program.StandardOutput.ReadLine());
        Finish(program);
    }

    private static string Run()
    {
        using Process program = Start();
        string output = program.StandardOutput.ReadToEnd();
        Finish(program);
        return output;
    }

    private static Process Start(params ReadOnlySpan<string> arguments)
    {
        const string script = """
            root=$(mktemp -d)
            mount -t tmpfs none "$root"
            mkdir "$root/sys" "$root/dev"
            mount --rbind /sys "$root/sys"
            mount --rbind /dev "$root/dev"
            cp "$1" "$root/program"
            shift
            exec chroot "$root" /program "$@"
            """;
        var start = new ProcessStartInfo("unshare", ["-m", "sh", "-ec", script, "sh", ProgramFactAttribute.PathIn(ProgramFactAttribute.StaticProgram)!, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("LD_PRELOAD");
        return Process.Start(start)!;
    }

    private static void Finish(Process program)
    {
        string errors = program.StandardError.ReadToEnd();
        program.WaitForExit();
        Assert.Equal((0, ""), (program.ExitCode, errors));
    }
}
