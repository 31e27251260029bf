using Microsoft.Win32.SafeHandles;

namespace Usbcap.Output;

/// <summary>Represents a regular file, whose name is NAME.part until it is complete.</summary>
internal sealed class FileSink : CaptureSink
{
    private readonly string _name;
    private readonly string _part;
    private readonly bool _replace;
    private readonly SafeFileHandle _file;
    private long _length;
    private bool _completed;

    public FileSink(string name, bool replace)
    {
        _name = name;
        _part = PartOf(name);
        _replace = replace;
        _file = File.OpenHandle(_part, replace ? FileMode.Create : FileMode.CreateNew, FileAccess.Write, FileShare.Read);
    }

    public override string Name => _name;

    public override string? Path => _completed ? _name : File.Exists(_part) ? _part : null;

    public override long Length => _file.IsClosed ? _length : RandomAccess.GetLength(_file);

    public static string PartOf(string name) => name + ".part";

    public override void Write(ReadOnlySpan<byte> data)
    {
        try
        {
            RandomAccess.Write(_file, data, _length);
        }
        catch (ArgumentOutOfRangeException e)
        {
            // .NET throws this exception for EFBIG: the file exceeds the limit of the file system or of the shell.
            throw new IOException("File too large", e);
        }

        _length += data.Length;
    }

    public override void Complete()
    {
        _file.Dispose(); // a network file system may report a full disk only when the file is closed
        File.Move(_part, _name, _replace);
        _completed = true;
    }

    public override void Dispose()
    {
        if (_file.IsClosed)
            return;
        _length = RandomAccess.GetLength(_file);
        _file.Dispose();
        if (_length == 0)
            File.Delete(_part); // the file is empty because nothing was captured
    }
}
